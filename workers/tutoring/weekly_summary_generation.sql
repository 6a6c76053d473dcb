-- $1, $2 where both are there: the first day of the week, and the day after its last; of the job's zone.

-- name: stops
-- $3: after this student. $4: so many at once. The last of each page of those who wrote something that week.
SELECT coalesce(array_agg(student_id ORDER BY student_id), '{}') AS stops
FROM (SELECT student_id, row_number() OVER w AS nth, lead(student_id) OVER w AS next
      FROM (SELECT DISTINCT c.student_id
            FROM chat_message m JOIN chat_conversation c ON c.id = m.conversation_id
            WHERE m.created_at >= $1::date AND m.created_at < $2::date AND m.role = 'student'
              AND c.student_id > $3::bigint) s
      WINDOW w AS (ORDER BY student_id)) p
WHERE nth % $4::int = 0 OR next IS NULL;

-- name: write
-- $3, $4: students above, up to and including. Who is deleted meanwhile is left out. Time between two messages counts
-- as time spent when it is at most a quarter of an hour. What is there already stays as it is.
WITH student AS MATERIALIZED (
    SELECT id FROM profile WHERE id > $3::bigint AND id <= $4::bigint AND status <> 'DELETED' FOR KEY SHARE
), message AS MATERIALIZED (
    SELECT c.student_id, c.subject_id, m.topic_id, m.correct, m.role, m.created_at,
        extract(epoch FROM m.created_at
            - lag(m.created_at) OVER (PARTITION BY c.student_id ORDER BY m.created_at)) AS since
    FROM student s
    JOIN chat_conversation c ON c.student_id = s.id
    JOIN chat_message m ON m.conversation_id = c.id
    WHERE m.created_at >= $1::date AND m.created_at < $2::date
), spent AS (
    SELECT student_id, count(*) FILTER (WHERE role = 'student') AS messages,
        count(DISTINCT created_at::date) FILTER (WHERE role = 'student') AS active_days,
        ceil(coalesce(sum(since) FILTER (WHERE since <= 900), 0) / 60)::int AS minutes
    FROM message GROUP BY student_id
), subjects AS (
    SELECT student_id, jsonb_agg(name ORDER BY messages DESC, name) AS names
    FROM (SELECT m.student_id, s.name, count(*) AS messages
          FROM message m JOIN subject s ON s.id = m.subject_id WHERE m.role = 'student' GROUP BY 1, 2) n
    GROUP BY student_id
), practised AS (
    SELECT student_id, sum(answered) AS answered, sum(correct) AS correct,
        jsonb_agg(name ORDER BY answered DESC, name) AS topics
    FROM (SELECT m.student_id, t.name, count(m.correct) AS answered, count(*) FILTER (WHERE m.correct) AS correct
          FROM message m JOIN topic t ON t.id = m.topic_id WHERE m.role = 'student' GROUP BY 1, t.id) n
    GROUP BY student_id
), summary AS (
    SELECT w.*, coalesce(s.names, '[]') AS subjects, coalesce(p.topics, '[]') AS topics,
        coalesce(p.answered, 0) AS answered, coalesce(p.correct, 0) AS correct,
        round(100.0 * p.correct / nullif(p.answered, 0)) AS accuracy_pct
    FROM spent w LEFT JOIN subjects s USING (student_id) LEFT JOIN practised p USING (student_id)
    WHERE w.messages > 0
), written AS (
    INSERT INTO weekly_summary (student_id, week_start, payload, text)
    SELECT student_id, $1, to_jsonb(s) - 'student_id',
        format('You asked %s %s on %s %s', messages, CASE messages WHEN 1 THEN 'question' ELSE 'questions' END,
            active_days, CASE active_days WHEN 1 THEN 'day' ELSE 'days' END)
        || CASE WHEN minutes > 0
               THEN format(', %s %s in all', minutes, CASE minutes WHEN 1 THEN 'minute' ELSE 'minutes' END) ELSE '' END
        || CASE jsonb_array_length(subjects)
               WHEN 0 THEN '' WHEN 1 THEN format(', about %s', subjects ->> 0)
               WHEN 2 THEN format(', about %s and %s', subjects ->> 0, subjects ->> 1)
               ELSE format(', about %s, %s and %s more', subjects ->> 0, subjects ->> 1,
                   jsonb_array_length(subjects) - 2) END
        || '.'
        || CASE WHEN answered > 0 THEN format(' %s of your %s %s right.', correct, answered,
               CASE answered WHEN 1 THEN 'answer was' ELSE 'answers were' END) ELSE '' END
    FROM summary s
    ON CONFLICT (student_id, week_start) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM written) AS written, count(*) - (SELECT count(*) FROM written) AS skipped FROM summary;
