-- What people do on the day of the reminders, and the bare statements that these are measured against: of one zone,
-- with nothing known of wishes, suppression, moves and who was reminded before, and nothing told.

-- name: came_last
-- $1: now. Also, one in 33 has a session that runs.
WITH running AS (
    INSERT INTO productivity.timer_session (user_id, started_at)
    SELECT id, $1::timestamptz - interval '40 minutes' FROM productivity.users WHERE id % 33 = 1
)
UPDATE productivity.users u SET last_activity_at = s.last
FROM (SELECT user_id, max(ended_at) AS last FROM productivity.timer_session GROUP BY user_id) s WHERE s.user_id = u.id;

-- name: bare_goal_deadlines
-- $1: now, also of the others. $2: where the pages are.
WITH due AS MATERIALIZED (
    SELECT g.user_id, u.name, g.id, g.title, g.due_on, g.progress,
        CASE WHEN g.due_on = $1::timestamptz::date + 1 THEN 'tomorrow' ELSE 'next week' END AS bucket
    FROM users u
    JOIN goal g ON g.user_id = u.id AND g.status = 'OPEN' AND g.due_on BETWEEN $1::timestamptz::date + 1 AND $1::timestamptz::date + 7
    WHERE u.deleted_at IS NULL
), this_day AS (
    INSERT INTO reminder_log SELECT DISTINCT user_id, 'goal_deadlines', $1::timestamptz::date::text, '', $1 FROM due
), told AS (
    INSERT INTO reminder_log SELECT user_id, 'goal', id::text, bucket || ' ' || due_on, $1 FROM due
)
INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
SELECT 'productivity', user_id::text, 'email', 'goal_deadlines', jsonb_build_object(
        'name', min(name), 'date', $1::timestamptz::date, 'url', $2::text, 'tomorrow', count(*) FILTER (WHERE bucket = 'tomorrow'),
        'next_week', count(*) FILTER (WHERE bucket <> 'tomorrow'), 'more', 0, 'goals', jsonb_agg(jsonb_build_object(
            'id', id, 'title', title, 'due', to_char(due_on, 'Dy FMDD Mon'), 'days', due_on - $1::timestamptz::date, 'progress', progress)
            ORDER BY due_on, id)),
    'promotional', 'productivity:goal_deadlines:' || user_id || ':' || $1::timestamptz::date, $1 + interval '15 hours'
FROM due GROUP BY user_id;

-- name: bare_inactive_users
WITH due AS MATERIALIZED (
    SELECT u.id AS user_id, u.name, s.step, extract(epoch FROM a.last)::bigint::text AS absence,
        s.step + (a.last < $1::timestamptz::date - s.step)::int + (a.last < $1::timestamptz::date - s.step - 1)::int AS days
    FROM users u
    CROSS JOIN LATERAL (SELECT coalesce(u.last_activity_at, u.created_at) AS last) a
    JOIN (VALUES (7), (14), (30)) s (step)
        ON a.last >= $1::timestamptz::date - s.step - 2 AND a.last < $1::timestamptz::date - s.step + 1
    WHERE u.deleted_at IS NULL
), this_day AS (
    INSERT INTO reminder_log SELECT user_id, 'inactive_users', $1::timestamptz::date::text, '', $1 FROM due
), this_step AS (
    INSERT INTO reminder_log SELECT user_id, 'absence', absence, step::text, $1 FROM due
), listed AS (
    SELECT user_id, jsonb_agg(jsonb_build_object(
        'id', id, 'title', title, 'due', to_char(due_on, 'FMDD Mon YYYY'), 'progress', progress,
        'overdue', coalesce(due_on < $1::timestamptz::date, false)) ORDER BY due_on, id) AS goals
    FROM goal WHERE status = 'OPEN' AND user_id IN (SELECT user_id FROM due) GROUP BY user_id
)
INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
SELECT 'productivity', user_id::text, 'email', 'inactive_users', jsonb_build_object(
        'name', name, 'date', $1::timestamptz::date, 'url', $2::text, 'days', days, 'last', step = 30,
        'goals', coalesce(goals, '[]'), 'more', 0),
    'promotional', 'productivity:inactive_users:' || user_id || ':' || $1::timestamptz::date, $1 + interval '12 hours'
FROM due LEFT JOIN listed USING (user_id);

-- name: bare_daily_check
WITH day AS MATERIALIZED (
    SELECT d::date AS day, d AS starts, least(d + interval '1 day', $1::timestamptz) AS ends
    FROM generate_series($1::timestamptz::date - 6, $1::timestamptz::date, interval '1 day') d
), due AS MATERIALIZED (
    SELECT id AS user_id, name FROM users u
    WHERE deleted_at IS NULL AND created_at <= $1 - interval '1 day' AND last_activity_at >= $1 - interval '7 days'
        AND NOT EXISTS (
            SELECT FROM timer_session t
            WHERE t.user_id = u.id AND t.kind = 'FOCUS' AND t.started_at > $1::timestamptz::date - interval '16 hours'
                AND coalesce(t.ended_at, t.started_at + interval '16 hours') > $1::timestamptz::date AND t.started_at <= $1
                AND (t.ended_at IS NULL OR t.ended_at > t.started_at))
), this_day AS (
    INSERT INTO reminder_log SELECT user_id, 'daily_check', $1::timestamptz::date::text, '', $1 FROM due
), focus AS (
    SELECT t.user_id, d.day, range_agg(tstzrange(greatest(t.started_at, d.starts),
        least(coalesce(t.ended_at, t.started_at + interval '16 hours'), d.ends))) AS during
    FROM due JOIN timer_session t USING (user_id)
    JOIN day d ON t.started_at < d.ends AND coalesce(t.ended_at, t.started_at + interval '16 hours') > d.starts
    WHERE t.kind = 'FOCUS' AND t.started_at > $1::timestamptz::date - interval '7 days'
        AND (t.ended_at IS NULL OR t.ended_at > t.started_at)
    GROUP BY t.user_id, d.day
), drawn AS (
    SELECT due.user_id, due.name, jsonb_agg(jsonb_build_object('day', d.day, 'label', to_char(d.day, 'Dy'), 'minutes',
        coalesce((SELECT sum(extract(epoch FROM upper(r) - lower(r)))::bigint FROM unnest(f.during) r), 0) / 60)
        ORDER BY d.day) AS days
    FROM due CROSS JOIN day d LEFT JOIN focus f ON f.user_id = due.user_id AND f.day = d.day
    GROUP BY due.user_id, due.name
), listed AS (
    SELECT user_id, jsonb_agg(jsonb_build_object(
        'id', id, 'title', title, 'due', to_char(due_on, 'FMDD Mon YYYY'), 'progress', progress,
        'overdue', coalesce(due_on < $1::timestamptz::date, false)) ORDER BY due_on, id) AS goals
    FROM goal WHERE status = 'OPEN' AND user_id IN (SELECT user_id FROM due) GROUP BY user_id
)
INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
SELECT 'productivity', user_id::text, 'email', 'daily_check', jsonb_build_object(
        'name', name, 'date', $1::timestamptz::date, 'url', $2::text, 'days', days, 'goals', coalesce(goals, '[]'), 'more', 0),
    'promotional', 'productivity:daily_check:' || user_id || ':' || $1::timestamptz::date, $1 + interval '5 hours'
FROM drawn LEFT JOIN listed USING (user_id);

-- name: bare_break_reminders
WITH due AS MATERIALIZED (
    SELECT t.user_id, u.name, t.id AS session_id, g.title, floor(extract(epoch FROM $1::timestamptz - f.since) / 60)::int AS minutes
    FROM timer_session t
    JOIN users u ON u.id = t.user_id AND u.deleted_at IS NULL
    LEFT JOIN goal g ON g.id = t.goal_id
    CROSS JOIN LATERAL (SELECT greatest(t.started_at, (
        SELECT max(b.ended_at) FROM timer_session b
        WHERE b.user_id = t.user_id AND b.kind = 'BREAK' AND b.ended_at > b.started_at
            AND b.started_at > t.started_at - interval '16 hours' AND b.started_at <= $1)) AS since) f
    WHERE t.ended_at IS NULL AND t.kind = 'FOCUS' AND f.since <= $1 - interval '25 minutes'
), told AS (
    INSERT INTO reminder_log
    SELECT user_id, 'break_reminders', session_id::text, extract(epoch FROM $1)::bigint::text, $1 FROM due
)
INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
SELECT 'productivity', user_id::text, 'email', 'break_reminders',
    jsonb_build_object('name', name, 'url', $2::text, 'minutes', minutes, 'title', title), 'promotional',
    'productivity:break_reminders:' || session_id || ':' || extract(epoch FROM $1)::bigint, $1 + interval '15 minutes'
FROM due;

-- name: effects
-- Of each kind: mails and who was told what, and the sum of the hashes of all that they say.
WITH said (what, text) AS (
    SELECT template, (recipient, data, kind, dedupe_key, expires_at)::text FROM sexton.outbox
    UNION ALL
    SELECT 'log', (user_id, kind, ref, bucket, sent_at)::text FROM productivity.reminder_log
)
SELECT what, count(*) AS rows, sum(hashtextextended(text, 0))::text AS sum FROM said GROUP BY what ORDER BY what;
