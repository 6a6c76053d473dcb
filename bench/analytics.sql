-- What the productivity suite's daily analytics are given, and the bare statements they are measured against: written
-- for themselves, with PostgreSQL's own zones, no fence, no reading of clocks, nothing told.

-- name: counted_before
-- $1: days from, $2: to. What earlier runs left: activity, so that people of 30 days are there to be counted.
WITH left_behind AS (
    INSERT INTO productivity.metric_daily (day, metric, value) VALUES ($2::date, 'is_complete', 0)
), cohorts AS (
    INSERT INTO productivity.signup_day SELECT id, (created_at AT TIME ZONE tz)::date FROM productivity.users
    WHERE (created_at AT TIME ZONE tz)::date <= $2
)
INSERT INTO productivity.activity_day (user_id, day, sessions, focus_seconds)
SELECT t.user_id, (t.started_at AT TIME ZONE u.tz)::date, count(*), 60 * count(*)
FROM productivity.timer_session t JOIN productivity.users u ON u.id = t.user_id
WHERE t.kind = 'FOCUS' AND (t.started_at AT TIME ZONE u.tz)::date BETWEEN $1::date AND $2
GROUP BY 1, 2;

-- name: bare_forget
DELETE FROM activity_day WHERE day BETWEEN $1::date AND $2::date;

-- name: bare_activity
-- $1, $2: the first and the last day. $3: now.
INSERT INTO activity_day (user_id, day, sessions, focus_seconds, features)
SELECT user_id, day, sum(n), round(extract(epoch FROM (SELECT sum(upper(r) - lower(r)) FROM unnest(range_agg(during)) r))),
    coalesce(jsonb_object_agg(feature, n) FILTER (WHERE feature IS NOT NULL), '{}')
FROM (
    SELECT t.user_id, d::date AS day, t.feature, count(*) AS n, range_agg(tstzrange(
        greatest(t.started_at, d AT TIME ZONE u.tz), least(t.ended_at, (d + interval '1 day') AT TIME ZONE u.tz, $3))) AS during
    FROM timer_session t JOIN users u ON u.id = t.user_id
    CROSS JOIN LATERAL generate_series(date_trunc('day', t.started_at AT TIME ZONE u.tz),
        least(t.ended_at, $3::timestamptz) AT TIME ZONE u.tz - interval '1 microsecond', interval '1 day') d
    WHERE t.kind = 'FOCUS' AND t.started_at < $3 AND t.started_at > $1::date - interval '3 days' AND t.ended_at > t.started_at
        AND d BETWEEN $1::date AND $2::date
    GROUP BY t.user_id, d, t.feature) f
GROUP BY user_id, day;

-- name: bare_cohorts
INSERT INTO signup_day SELECT id, (created_at AT TIME ZONE tz)::date FROM users
WHERE (created_at AT TIME ZONE tz)::date BETWEEN $1::date AND $2::date AND created_at < $3::timestamptz
ON CONFLICT DO NOTHING;

-- name: bare_people
-- $1, $2: the first and the last day.
INSERT INTO metric_daily (day, metric, value)
SELECT d::date, m.metric, m.value
FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') d
CROSS JOIN LATERAL (
    SELECT count(DISTINCT user_id) FILTER (WHERE day = d) AS dau, count(DISTINCT user_id) FILTER (WHERE day > d - interval '7 days') AS wau,
        count(DISTINCT user_id) AS mau
    FROM activity_day WHERE day > d - interval '30 days' AND day <= d) a
CROSS JOIN LATERAL (VALUES ('dau', a.dau), ('wau', a.wau), ('mau', a.mau)) AS m (metric, value);

-- name: bare_retention
INSERT INTO retention (cohort_day, n, size, retained)
SELECT s.day, n, count(*), count(a.user_id)
FROM signup_day s CROSS JOIN unnest('{1,7,14,30}'::int[]) n
LEFT JOIN activity_day a ON a.user_id = s.user_id AND a.day = s.day + n
WHERE s.day + n BETWEEN $1::date AND $2::date
GROUP BY s.day, n;

-- name: bare_sessions
-- $1, $2: days. $3: now.
INSERT INTO metric_daily (day, metric, value)
SELECT day, m.metric, m.value
FROM (SELECT (t.started_at AT TIME ZONE u.tz)::date AS day, count(*) AS sessions, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
            ORDER BY extract(epoch FROM least(t.ended_at, $3::timestamptz) - t.started_at)::float8 / 60) AS minutes
      FROM timer_session t JOIN users u ON u.id = t.user_id
      WHERE t.kind = 'FOCUS' AND t.started_at > $1::date - interval '3 days' AND t.started_at < $3 AND t.ended_at > t.started_at
      GROUP BY 1) s
CROSS JOIN LATERAL (VALUES ('sessions', s.sessions::numeric), ('session_minutes_median', round(s.minutes[1]::numeric, 2)),
    ('session_minutes_p90', round(s.minutes[2]::numeric, 2))) AS m (metric, value)
WHERE day BETWEEN $1 AND $2::date;

-- name: bare_goals
-- $1, $2: days. $3: now.
INSERT INTO metric_daily (day, metric, value)
SELECT d::date, m.metric, m.value
FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') d
CROSS JOIN LATERAL (
    SELECT count(*) AS due, count(*) FILTER (WHERE g.completed_at < (d + interval '1 day') AT TIME ZONE u.tz) AS on_time
    FROM goal g JOIN users u ON u.id = g.user_id
    WHERE g.due_on = d::date AND g.status <> 'ABANDONED' AND (d + interval '1 day') AT TIME ZONE u.tz <= $3::timestamptz) s
CROSS JOIN LATERAL (VALUES ('goals_due', s.due), ('goals_done_on_time', s.on_time)) AS m (metric, value);

-- name: effects
-- What each leaves of the last days: rows, and the sum of the hashes of what they say.
WITH said (what, text) AS (
    SELECT 'activity', (user_id, day, sessions, focus_seconds, features)::text FROM productivity.activity_day
    UNION ALL
    SELECT 'figures', (day, metric, value)::text FROM productivity.metric_daily
    WHERE metric IN ('dau', 'wau', 'mau', 'sessions', 'session_minutes_median', 'session_minutes_p90', 'goals_due',
        'goals_done_on_time')
    UNION ALL
    SELECT 'retention', (cohort_day, n, size, retained)::text FROM productivity.retention
)
SELECT what, count(*) AS rows, sum(hashtextextended(text, 0))::text AS sum FROM said GROUP BY what ORDER BY what;
