-- What the tutoring suite's jobs are given, and the bare statements they are measured against: everything at once, with no
-- pages, no fence, nothing planned, measured or told.

-- name: load_students
-- $1: students. $2: now.
INSERT INTO tutoring.profile (id, name, email, created_at, monthly_tokens)
SELECT n, 'student ' || n, 's' || n || '@example.com', $2::timestamptz - interval '1 year', 100000
FROM generate_series(1, $1::bigint) n;

-- name: load_memories
-- $1: memories, all of them too old, and a tenth more that are not. $2: now. $3: students.
INSERT INTO tutoring.study_chat_memory (student_id, content, created_at)
SELECT 1 + n % $3::bigint, repeat('likes worked examples, ', 1 + (n % 8)::int),
    $2::timestamptz - CASE WHEN n % 11 = 0 THEN interval '30 days' ELSE interval '300 days' END
        + (n % 86400) * interval '1 second'
FROM generate_series(1, $1::bigint + $1 / 10) n;

-- name: load_usage
-- $1: calls, all of the day before $2 (now), one in a hundred reported twice. $3: students.
INSERT INTO tutoring.api_usage (provider_id, student_id, at, input_tokens, output_tokens, latency_ms, status, request_id)
SELECT 1 + n % 6, 1 + n % $3::bigint,
    ($2::timestamptz AT TIME ZONE 'UTC')::date - 1 + (n % 86000 + copy) * interval '1 second',
    300 + n % 700, 100 + n % 300,
    200 + hashint8extended(n, 1) & 2047, CASE WHEN n % 50 = 0 THEN 503 ELSE 200 END,
    CASE WHEN n % 2 = 0 THEN 'call-' || n END
FROM generate_series(1, $1::bigint) n, generate_series(0, CASE WHEN n % 100 = 0 THEN 1 ELSE 0 END) copy;

-- name: load_conversations
-- $1: conversations, every other one of last week, the others old. $2: now. $3: students.
INSERT INTO tutoring.chat_conversation (id, student_id, subject_id, created_at, last_message_at)
SELECT n, 1 + n % $3::bigint, 1 + n % 3, e.ended - interval '1 hour', e.ended
FROM generate_series(1, $1::bigint) n, LATERAL (
    SELECT $2::timestamptz - CASE WHEN n % 2 = 0 THEN interval '1 day' ELSE interval '250 days' END
        - (n % 86400) * interval '1 second' AS ended) e;

-- name: load_messages
-- Ten each.
INSERT INTO tutoring.chat_message (conversation_id, role, content, topic_id, correct, created_at)
SELECT c.id, CASE k % 2 WHEN 1 THEN 'student' ELSE 'tutor' END, 'What is the next step of this equation?', 1 + c.id % 3,
    CASE WHEN k = 5 THEN c.id % 4 > 0 END, c.last_message_at - (10 - k) * interval '5 minutes'
FROM tutoring.chat_conversation c, generate_series(1, 10) k;

-- name: load_subjects
WITH subjects AS (INSERT INTO tutoring.subject (id, name) SELECT n, 'subject ' || n FROM generate_series(1, 3) n)
INSERT INTO tutoring.topic (id, subject_id, name) SELECT n, n, 'topic ' || n FROM generate_series(1, 3) n;

-- name: load_quotas
-- $1: now. Of the month before.
INSERT INTO tutoring.quota_period (subject_kind, subject_id, period_start, used, limit_n)
SELECT 'student', id, (date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC') - interval '1 month')::date, 1, 100000
FROM tutoring.profile;

-- name: settings
SELECT set_config('search_path', 'tutoring', false), set_config('timezone', 'UTC', false),
    set_config('work_mem', '256MB', false);

-- name: remove_memories
-- $1: created before. $2: expired by.
DELETE FROM study_chat_memory WHERE created_at < $1::timestamptz OR expires_at <= $2::timestamptz;

-- name: archive_all
-- $1: last message before. $2: now.
WITH old AS MATERIALIZED (
    SELECT id FROM chat_conversation WHERE last_message_at < $1::timestamptz
), conversations AS (
    DELETE FROM chat_conversation c USING old WHERE c.id = old.id RETURNING c.*
), messages AS (
    DELETE FROM chat_message m USING old WHERE m.conversation_id = old.id RETURNING m.*
), moved AS (
    INSERT INTO chat_conversation_archive SELECT id, student_id, subject_id, created_at, last_message_at, $2::timestamptz
    FROM conversations
)
INSERT INTO chat_message_archive SELECT id, conversation_id, role, content, tokens, topic_id, correct, created_at
FROM messages;

-- name: close_all
-- $1: the month. $2: when.
UPDATE quota_period SET closed_at = $2::timestamptz WHERE period_start < $1::date AND closed_at IS NULL;

-- name: open_all
INSERT INTO quota_period (subject_kind, subject_id, period_start, used, limit_n)
SELECT 'student', id, $1::date, 0, monthly_tokens FROM profile WHERE status <> 'DELETED' AND monthly_tokens IS NOT NULL;

-- name: effects
-- What each leaves: rows, and the sum of the hashes of what they say.
WITH said (what, text) AS (
    SELECT 'daily_memory_cleanup', id::text FROM tutoring.study_chat_memory
    UNION ALL
    SELECT 'usage_analysis', (day, provider_id, requests, errors, input_tokens, output_tokens, p50_ms, p95_ms, cost)::text
    FROM tutoring.usage_daily
    UNION ALL
    SELECT 'weekly_summary_generation', (student_id, week_start, payload, text)::text FROM tutoring.weekly_summary
    UNION ALL
    SELECT 'profile_refresh', (student_id, hash)::text FROM tutoring.student_ai_profile
    UNION ALL
    SELECT 'archive_conversations', (id, conversation_id, content)::text FROM tutoring.chat_message_archive
    UNION ALL
    SELECT 'monthly_quota_reset', (subject_id, period_start, used, limit_n, closed_at)::text FROM tutoring.quota_period
)
SELECT what, count(*) AS rows, sum(hashtextextended(text, 0))::text AS sum FROM said GROUP BY what ORDER BY what;
