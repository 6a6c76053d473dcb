-- name: stops
-- $1: the instant. $2: after this student. $3: so many at once. The last of each page of those with a message since
-- they were looked at.
SELECT coalesce(array_agg(student_id ORDER BY student_id), '{}') AS stops
FROM (SELECT student_id, row_number() OVER w AS nth, lead(student_id) OVER w AS next
      FROM (SELECT c.student_id
            FROM chat_conversation c
            JOIN profile p ON p.id = c.student_id AND p.status <> 'DELETED'
            LEFT JOIN student_ai_profile a USING (student_id)
            WHERE c.student_id > $2::bigint AND c.last_message_at < $1::timestamptz
              AND (a.looked_at IS NULL OR c.last_message_at >= a.looked_at)
            GROUP BY c.student_id) s
      WINDOW w AS (ORDER BY student_id)) p
WHERE nth % $3::int = 0 OR next IS NULL;

-- name: refresh
-- $1: the instant. $2, $3: students above, up to and including. $4: since. A profile is of the messages from then until
-- the instant; the hour is of the student's own zone. Who is deleted meanwhile is left out.
WITH student AS MATERIALIZED (
    SELECT p.id, p.tz
    FROM profile p
    WHERE p.id > $2::bigint AND p.id <= $3::bigint AND p.status <> 'DELETED'
      AND EXISTS (SELECT FROM chat_conversation c
                  WHERE c.student_id = p.id AND c.last_message_at < $1::timestamptz AND c.last_message_at >= coalesce(
                      (SELECT a.looked_at FROM student_ai_profile a WHERE a.student_id = p.id), '-infinity'))
    FOR KEY SHARE OF p
), message AS MATERIALIZED (
    SELECT s.id AS student_id, c.subject_id, m.topic_id, m.correct, m.created_at AT TIME ZONE s.tz AS local,
        length(m.content) AS letters
    FROM student s
    JOIN chat_conversation c ON c.student_id = s.id
    JOIN chat_message m ON m.conversation_id = c.id AND m.role = 'student'
    WHERE m.created_at >= $4::timestamptz AND m.created_at < $1
), habit AS (
    SELECT student_id, count(*) AS messages, count(DISTINCT local::date) AS active_days,
        max(local)::date AS last_active, mode() WITHIN GROUP (ORDER BY extract(hour FROM local)::int) AS usual_hour,
        round(avg(letters))::int AS usual_length
    FROM message GROUP BY student_id
), subjects AS (
    SELECT student_id, jsonb_agg(jsonb_build_object('subject', name, 'messages', messages) ORDER BY messages DESC, name)
        FILTER (WHERE nth <= 5) AS subjects
    FROM (SELECT m.student_id, s.name, count(*) AS messages,
              row_number() OVER (PARTITION BY m.student_id ORDER BY count(*) DESC, s.name) AS nth
          FROM message m JOIN subject s ON s.id = m.subject_id GROUP BY 1, 2) n
    GROUP BY student_id
), practised AS (
    SELECT student_id, sum(answered) AS answered, sum(correct) AS correct,
        coalesce(jsonb_agg(name ORDER BY correct::numeric / answered, name)
            FILTER (WHERE answered >= 5 AND correct < 0.6 * answered), '[]') AS weak,
        coalesce(jsonb_agg(name ORDER BY correct::numeric / answered DESC, name)
            FILTER (WHERE answered >= 5 AND correct >= 0.85 * answered), '[]') AS strong
    FROM (SELECT m.student_id, t.name, count(*) AS answered, count(*) FILTER (WHERE m.correct) AS correct
          FROM message m JOIN topic t ON t.id = m.topic_id WHERE m.correct IS NOT NULL GROUP BY 1, t.id) n
    GROUP BY student_id
), fresh AS MATERIALIZED (
    SELECT s.id AS student_id, jsonb_build_object(
            'messages', coalesce(h.messages, 0), 'active_days', coalesce(h.active_days, 0),
            'last_active', h.last_active,
            'usual_hour', h.usual_hour, 'usual_length', h.usual_length, 'subjects', coalesce(j.subjects, '[]'),
            'answered', coalesce(p.answered, 0), 'accuracy_pct', round(100.0 * p.correct / p.answered),
            'weak_topics', coalesce(p.weak, '[]'), 'strong_topics', coalesce(p.strong, '[]')) AS payload
    FROM student s
    LEFT JOIN habit h ON h.student_id = s.id
    LEFT JOIN subjects j ON j.student_id = s.id
    LEFT JOIN practised p ON p.student_id = s.id
), hashed AS (
    SELECT student_id, payload, encode(sha256(convert_to(payload::text, 'UTF8')), 'hex') AS hash FROM fresh
), changed AS (
    INSERT INTO student_ai_profile AS a (student_id, payload, hash, refreshed_at, looked_at)
    SELECT student_id, payload, hash, $1, $1 FROM hashed
    ON CONFLICT (student_id) DO UPDATE
    SET payload = excluded.payload, hash = excluded.hash, refreshed_at = $1, looked_at = $1
    WHERE a.hash IS DISTINCT FROM excluded.hash
    RETURNING student_id
), same AS (
    UPDATE student_ai_profile a SET looked_at = $1
    FROM hashed h WHERE a.student_id = h.student_id AND a.hash = h.hash
    RETURNING 1
)
SELECT (SELECT count(*) FROM changed) AS refreshed, (SELECT count(*) FROM same) AS unchanged;
