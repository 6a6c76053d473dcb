-- Sample data: people $1 < id <= $2, as of $3. What somebody is like is drawn from hashes of their number, so that any
-- size has the same beginning: hashint8extended(number, which) & 1023 is a draw of 0 to 1023.

-- name: counts
SELECT (SELECT count(*) FROM productivity.users) AS people,
    (SELECT count(*) FROM productivity.users WHERE email NOT LIKE '%.' || id || '@example.com') AS strangers,
    (SELECT coalesce(max(id), 0) FROM productivity.users) AS last_person,
    (SELECT count(*) FROM productivity.goal) AS goals,
    (SELECT count(*) FROM productivity.timer_session) AS sessions;

-- name: now
SELECT sexton.clock();

-- name: add_users
-- $4, $5: first and last names. $6: zones, a hundred. Signed up within 300 days; one in 60 has deleted the account.
INSERT INTO productivity.users (id, name, email, tz, tz_set_at, created_at, deleted_at)
SELECT n, first || ' ' || last, 'person.' || n || '@example.com', ($6::text[])[1 + (hashint8extended(n, 3) & 65535) % 100],
    since, since, CASE WHEN n % 60 = 7 THEN $3::timestamptz - interval '1 day' END
FROM generate_series($1::bigint + 1, $2::bigint) n,
    LATERAL (SELECT ($4::text[])[1 + (hashint8extended(n, 1) & 32767) % cardinality($4::text[])] AS first,
        ($5::text[])[1 + (hashint8extended(n, 2) & 32767) % cardinality($5::text[])] AS last,
        $3::timestamptz - (2 + (hashint8extended(n, 4) & 32767) / 32768.0 * 298) * interval '1 day' AS since) drawn;

-- name: add_prefs
-- A third have said something: workdays from Sunday to Thursday, no daily checks, other quiet hours, or no mail at all.
INSERT INTO productivity.user_pref (user_id, email_enabled, channels, quiet_start, quiet_end, workday_mask)
SELECT id, id % 30 <> 1, CASE WHEN id % 9 = 4 THEN '{"daily": false, "break": false}'::jsonb ELSE '{}' END,
    CASE WHEN id % 12 = 10 THEN '20:00'::time ELSE '22:00' END, CASE WHEN id % 12 = 10 THEN '08:30'::time ELSE '07:00' END,
    CASE WHEN tz IN ('Asia/Dubai', 'Africa/Cairo') THEN 79 WHEN id % 6 = 1 THEN 31 END
FROM productivity.users WHERE id > $1::bigint AND id <= $2::bigint AND id % 3 = 1 AND $3::timestamptz IS NOT NULL;

-- name: add_goals
-- $4: titles. Two to six each, some of them due in the days to come. Of those past, two in three are done, most on time.
INSERT INTO productivity.goal (id, user_id, title, due_on, status, created_at, completed_at, progress)
SELECT 6 * (u.id - 1) + k, u.id,
    CASE WHEN d.draw % 50 <> 0 THEN ($4::text[])[1 + (hashint8extended(u.id * 7 + k, 12) & 32767) % cardinality($4::text[])] END,
    CASE WHEN d.draw % 20 <> 1 THEN g.due_on END, s.status, g.created_at,
    CASE WHEN s.status = 'DONE' THEN least($3::timestamptz - interval '1 hour', greatest(g.created_at + interval '1 hour',
        g.due_on::timestamp AT TIME ZONE 'UTC' + (d.draw % 12 - 10) * interval '1 day')) END,
    CASE s.status WHEN 'DONE' THEN 100 WHEN 'ABANDONED' THEN d.draw % 30 ELSE d.draw % 10 * 10 END
FROM productivity.users u
CROSS JOIN generate_series(1, 6) k
CROSS JOIN LATERAL (SELECT (hashint8extended(u.id * 7 + k, 10) & 1023)::int AS draw,
    (hashint8extended(u.id * 7 + k, 11) & 1023) / 1024.0 AS part) d
CROSS JOIN LATERAL (
    SELECT c.created_at, (c.created_at AT TIME ZONE 'UTC')::date + 3 + d.draw % 35 AS due_on
    FROM (SELECT u.created_at + d.part * ($3::timestamptz - u.created_at) AS created_at) c) g
CROSS JOIN LATERAL (
    SELECT CASE WHEN g.due_on < ($3::timestamptz AT TIME ZONE 'UTC')::date
        THEN (ARRAY['DONE', 'DONE', 'DONE', 'DONE', 'ABANDONED', 'OPEN'])[1 + d.draw % 6]
        WHEN d.draw % 8 = 5 AND g.created_at < $3::timestamptz - interval '2 hours' THEN 'DONE' ELSE 'OPEN' END AS status) s
WHERE u.id > $1::bigint AND u.id <= $2::bigint AND k <= 2 + (hashint8extended(u.id, 9) & 1023) % 5;

-- name: add_sessions
-- $4: features. Half stay for less than ten days, few for all the time. Up to three sessions of focus on a day on which
-- somebody comes, at about their own hour, with breaks between; on weekends fewer come. Of 400 sessions one was never
-- ended. Of those who came today one in ten has a session that runs.
WITH person AS (
    SELECT id, tz, (created_at AT TIME ZONE tz)::date AS first_day, ($3::timestamptz AT TIME ZONE tz)::date AS today,
        300 * power((hashint8extended(id, 5) & 1023) / 1023.0, 5) + 1 AS stays, 7 + (hashint8extended(id, 6) & 7) AS hour,
        250 + (hashint8extended(id, 7) & 511) AS eager
    FROM productivity.users WHERE id > $1::bigint AND id <= $2::bigint
), visit AS (
    SELECT p.id, p.tz, p.hour, p.today, d.day::date AS day, hashint8extended(p.id * 1009 + (d.day::date - p.first_day), 8) AS draw
    FROM person p
    CROSS JOIN LATERAL generate_series(p.first_day::timestamp,
        least(p.today, p.first_day + p.stays::int)::timestamp, interval '1 day') AS d (day)
    WHERE hashint8extended(p.id * 1009 + (d.day::date - p.first_day), 13) & 1023
        < CASE WHEN extract(isodow FROM d.day) >= 6 THEN p.eager / 3 WHEN d.day::date = p.first_day THEN 900 ELSE p.eager END
), planned AS (
    SELECT v.id, v.day, v.draw, k, v.today,
        (v.day + make_interval(hours => v.hour::int, mins => ((v.draw >> 8) & 127)::int + 45 * (k - 1))) AT TIME ZONE v.tz
            AS started_at, 20 + ((v.draw >> (4 * k)) & 15) AS length
    FROM visit v CROSS JOIN generate_series(1, 3) k WHERE k <= 1 + (v.draw & 1023) % 3
)
INSERT INTO productivity.timer_session (user_id, goal_id, started_at, ended_at, kind, feature)
SELECT p.id, CASE WHEN f.focus AND p.draw & 3 > 0 THEN g.id END,
    CASE WHEN f.focus THEN p.started_at ELSE p.started_at + (p.length + 1) * interval '1 minute' END,
    CASE WHEN NOT f.focus THEN p.started_at + (p.length + 6) * interval '1 minute'
         WHEN ((p.draw >> 20) & 1023) % 400 = 1 THEN NULL
         ELSE p.started_at + p.length * interval '1 minute' END,
    CASE WHEN f.focus THEN 'FOCUS' ELSE 'BREAK' END,
    CASE WHEN f.focus THEN ($4::text[])[1 + ((hashint8extended(p.id, 14) & 7) + (p.draw & 1)) % cardinality($4::text[])] END
FROM planned p
CROSS JOIN (VALUES (true), (false)) f (focus)
LEFT JOIN productivity.goal g ON g.id = 6 * (p.id - 1) + 1
WHERE (f.focus OR p.k < 1 + (p.draw & 1023) % 3) AND p.started_at + interval '1 hour' <= $3
UNION ALL
SELECT DISTINCT ON (p.id) p.id, NULL::bigint, $3 - interval '40 minutes', NULL::timestamptz, 'FOCUS', ($4::text[])[1]
FROM planned p WHERE p.day >= p.today - 1 AND p.id % 10 = 3;

-- name: note_activity
UPDATE productivity.users u SET last_activity_at = s.last
FROM (SELECT user_id, max(coalesce(ended_at, started_at)) AS last FROM productivity.timer_session
      WHERE user_id > $1::bigint AND user_id <= $2::bigint AND $3::timestamptz IS NOT NULL GROUP BY user_id) s
WHERE u.id = s.user_id;

-- name: go_on_numbering
SELECT setval(pg_get_serial_sequence('productivity.users', 'id'), (SELECT max(id) FROM productivity.users)),
    setval(pg_get_serial_sequence('productivity.goal', 'id'), (SELECT max(id) FROM productivity.goal));

-- name: analyze
ANALYZE productivity.users, productivity.user_pref, productivity.goal, productivity.timer_session;
