-- Sample data: students $1 < id <= $2, as of $3. What somebody is like is drawn from hashes of their number, so that
-- any size has the same beginning: hashint8extended(number, which) & 1023 is a draw of 0 to 1023.

-- name: counts
SELECT (SELECT count(*) FROM tutoring.profile) AS students,
    (SELECT count(*) FROM tutoring.profile WHERE email NOT LIKE '%.' || id || '@example.com') AS strangers,
    (SELECT coalesce(max(id), 0) FROM tutoring.profile) AS last_student,
    (SELECT count(*) FROM tutoring.chat_conversation) AS conversations,
    (SELECT count(*) FROM tutoring.study_chat_memory) AS memories,
    (SELECT count(*) FROM tutoring.api_usage) AS usage;

-- name: now
SELECT sexton.clock();

-- name: add_subjects
INSERT INTO tutoring.subject (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING;

-- name: add_topics
INSERT INTO tutoring.topic (subject_id, name)
SELECT s.id, t.topic FROM unnest($1::text[], $2::text[]) AS t (subject, topic)
JOIN tutoring.subject s ON s.name = t.subject
ON CONFLICT DO NOTHING;

-- name: add_prices
INSERT INTO tutoring.ai_price (provider_id, since, input_price, output_price)
SELECT p.id, '2020-01-01', n.input_price, n.output_price
FROM unnest($1::text[], $2::numeric[], $3::numeric[]) AS n (name, input_price, output_price)
JOIN tutoring.ai_provider p ON p.name = n.name
ON CONFLICT DO NOTHING;

-- name: open_months
SELECT tutoring.open_usage_months(($1::timestamptz AT TIME ZONE 'UTC')::date - 61, ($1 AT TIME ZONE 'UTC')::date);

-- name: add_students
-- $4, $5: first and last names.
INSERT INTO tutoring.profile (id, name, email, tz, status, created_at, monthly_tokens)
SELECT n, first || ' ' || last, 'student.' || n || '@example.com',
    (ARRAY['UTC', 'Europe/Zurich', 'Asia/Kolkata', 'America/New_York'])[1 + (hashint8extended(n, 3) & 3)],
    CASE WHEN n % 97 = 0 THEN 'SUSPENDED' WHEN n % 211 = 0 THEN 'DELETED' ELSE 'ACTIVE' END,
    $3::timestamptz - interval '400 days' - (hashint8extended(n, 4) & 255) * interval '1 day',
    CASE WHEN n % 3 > 0 THEN 200000 END
FROM generate_series($1::bigint + 1, $2::bigint) n,
    LATERAL (SELECT ($4::text[])[1 + (hashint8extended(n, 1) & 32767) % cardinality($4::text[])] AS first,
                 ($5::text[])[1 + (hashint8extended(n, 2) & 32767) % cardinality($5::text[])] AS last) name;

-- name: add_conversations
-- Five each; they ended between an hour and some 400 days ago, most of them lately.
INSERT INTO tutoring.chat_conversation (id, student_id, subject_id, created_at, last_message_at)
SELECT c.id, c.student_id, s.id, c.ended - interval '50 minutes', c.ended
FROM (SELECT 5 * (n - 1) + k AS id, n AS student_id,
          $3::timestamptz - interval '1 hour'
              - power((hashint8extended(5 * n + k, 5) & 1023) / 1023.0, 2) * interval '400 days' AS ended
      FROM generate_series($1::bigint + 1, $2::bigint) n, generate_series(1, 5) k) c
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS nth, count(*) OVER () AS number FROM tutoring.subject) s
    ON s.nth = (hashint8extended(c.id, 6) & 1023) % s.number;

-- name: add_messages
-- Six in a conversation, by turns. Every other one of a student's is an answer; three in four are right.
INSERT INTO tutoring.chat_message (id, conversation_id, role, content, tokens, topic_id, correct, created_at)
SELECT 6 * (c.id - 1) + k, c.id, CASE k % 2 WHEN 1 THEN 'student' ELSE 'tutor' END,
    CASE k % 2 WHEN 1 THEN 'Is this right? ' ELSE 'Nearly. ' END
        || repeat('Look at the second step. ', (hashint8extended(c.id + k, 7) & 7)::int),
    20 + (hashint8extended(c.id + k, 7) & 127), t.id,
    CASE WHEN k % 4 = 3 THEN (hashint8extended(c.id, 8) & 3) > 0 END,
    c.last_message_at - (6 - k) * interval '10 minutes'
FROM tutoring.chat_conversation c
CROSS JOIN generate_series(1, 6) k
LEFT JOIN LATERAL (
    SELECT id FROM tutoring.topic WHERE subject_id = c.subject_id
    ORDER BY hashint8extended(id, c.id) LIMIT 1) t ON true
WHERE c.student_id > $1::bigint AND c.student_id <= $2::bigint AND $3::timestamptz IS NOT NULL;

-- name: add_memories
-- Four each, up to a year old; one in eight expires, a week before or after now.
INSERT INTO tutoring.study_chat_memory (id, student_id, content, created_at, expires_at)
SELECT 4 * (n - 1) + k, n,
    (ARRAY['Prefers worked examples', 'Mixes up signs', 'Learns in the evening', 'Wants short answers'])[k],
    m.created_at, CASE WHEN k = 4 AND n % 2 = 0 THEN
        greatest(m.created_at, $3::timestamptz + (CASE WHEN n % 4 = 0 THEN -1 ELSE 1 END) * interval '7 days') END
FROM generate_series($1::bigint + 1, $2::bigint) n, generate_series(1, 4) k,
    LATERAL (
        SELECT $3::timestamptz - (hashint8extended(4 * n + k, 9) & 1023) / 1023.0 * interval '365 days'
            AS created_at) m;

-- name: add_usage
-- A call on most workdays and on few weekend days, of the last 60 days. Nothing was recorded on two of them; yesterday
-- the first provider was slow and failed often. A few calls are reported twice, or without tokens.
WITH calls AS (
    SELECT n, d.day, x.draw, p.id AS provider_id, p.chain_order,
        p.chain_order = 1 AND d.day = ($3::timestamptz AT TIME ZONE 'UTC')::date - 1 AS bad,
        d.day::timestamp AT TIME ZONE 'UTC' + interval '6 hours'
            + (hashint8extended(n, 12) & 65535) / 65536.0 * interval '17 hours' AS at
    FROM generate_series($1::bigint + 1, $2::bigint) n
    CROSS JOIN (SELECT ($3::timestamptz AT TIME ZONE 'UTC')::date - b AS day, b FROM generate_series(1, 60) b) d
    CROSS JOIN LATERAL (SELECT hashint8extended(n * 61 + d.b, 10) & 1023 AS draw) x
    JOIN tutoring.ai_provider p ON p.chain_order = CASE
        WHEN x.draw % 16 < 9 THEN 1 WHEN x.draw % 16 < 12 THEN 2 WHEN x.draw % 16 < 14 THEN 3
        WHEN x.draw % 16 = 14 THEN 4 WHEN x.draw & 16 = 0 THEN 5 ELSE 6 END
    WHERE d.b NOT IN (20, 21) AND x.draw < CASE WHEN extract(isodow FROM d.day) >= 6 THEN 250 ELSE 800 END
)
INSERT INTO tutoring.api_usage (
    provider_id, student_id, at, input_tokens, output_tokens, latency_ms, status, error, request_id)
SELECT provider_id, n, at + copy * interval '1 second', CASE WHEN draw % 64 <> 13 THEN 300 + draw END,
    CASE WHEN draw % 64 <> 13 THEN 100 + draw / 2 END,
    (400 + draw % 300 + chain_order * 90) * CASE WHEN bad THEN 8 ELSE 1 END,
    CASE WHEN failed THEN 503 ELSE 200 END, CASE WHEN failed THEN 'overloaded' END,
    CASE WHEN draw % 4 = 0 THEN format('sample-%s-%s', n, day) END
FROM calls
CROSS JOIN LATERAL (SELECT hashint8extended(n, draw) & 255 < CASE WHEN bad THEN 100 ELSE 3 END AS failed) f
CROSS JOIN LATERAL generate_series(0, CASE WHEN draw % 32 = 4 THEN 1 ELSE 0 END) copy;

-- name: add_cache
INSERT INTO tutoring.cache_entry (key, value, expires_at)
SELECT 'answer:' || n, jsonb_build_object('student', n), $3::timestamptz + (n % 48 - 24) * interval '1 hour'
FROM generate_series($1::bigint + 1, $2::bigint) n;

-- name: add_quotas
-- Last month's are closed, this month's are open.
INSERT INTO tutoring.quota_period (subject_kind, subject_id, period_start, used, limit_n, closed_at)
SELECT 'student', p.id, m.month, (hashint8extended(p.id, 13) & 65535) + 1000, p.monthly_tokens, m.closed_at
FROM tutoring.profile p
CROSS JOIN LATERAL (
    SELECT date_trunc('month', $3::timestamptz AT TIME ZONE 'UTC')::date AS month, NULL::timestamptz AS closed_at
    UNION ALL
    SELECT (date_trunc('month', $3 AT TIME ZONE 'UTC') - interval '1 month')::date,
        date_trunc('month', $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') m
WHERE p.id > $1::bigint AND p.id <= $2::bigint AND p.monthly_tokens IS NOT NULL AND p.status <> 'DELETED';

-- name: go_on_numbering
SELECT setval(pg_get_serial_sequence('tutoring.profile', 'id'), (SELECT max(id) FROM tutoring.profile)),
    setval(
        pg_get_serial_sequence('tutoring.chat_conversation', 'id'), (SELECT max(id) FROM tutoring.chat_conversation)),
    setval(pg_get_serial_sequence('tutoring.chat_message', 'id'), (SELECT max(id) FROM tutoring.chat_message)),
    setval(
        pg_get_serial_sequence('tutoring.study_chat_memory', 'id'), (SELECT max(id) FROM tutoring.study_chat_memory));

-- name: analyze
ANALYZE tutoring.profile, tutoring.chat_conversation, tutoring.chat_message, tutoring.study_chat_memory,
    tutoring.api_usage, tutoring.cache_entry, tutoring.quota_period;
