-- Where nothing else is said: $1, $2: the first and the last day. $3: what the days of every zone are from and to. $4: now.

-- name: match_by_hash
-- For one transaction. The planner takes a list of hundreds of zones' days for a single row, and would compare every
-- session with every one of them.
SELECT set_config('enable_nestloop', 'off', true);

-- name: first_day
-- $1: the day. $2: days that are counted again for what was written late. $3: days kept. The first to count: a few again,
-- those that no run counted, and at first everything there is.
SELECT greatest($1::date - $3::int, least($1::date - $2::int + 1, coalesce(
    (SELECT max(day) FROM metric_daily WHERE metric = 'is_complete'),
    least((SELECT min(started_at) FROM timer_session), (SELECT min(created_at) FROM users))::date - 1))) AS day;

-- name: signed_up
-- On which of their days people signed up, in the zone that they lived in then. It is kept: who moves or is deleted stays
-- in the cohort.
INSERT INTO signup_day (user_id, day)
SELECT u.id, z.day
FROM jsonb_to_recordset($3::jsonb) AS z (zone text, day date, starts timestamptz, ends timestamptz)
JOIN users u ON u.tz = z.zone AND u.created_at >= z.starts AND u.created_at < z.ends AND u.created_at < $4::timestamptz
WHERE z.day BETWEEN $1::date AND $2::date AND NOT EXISTS (SELECT FROM zone_change c WHERE c.user_id = u.id)
UNION ALL
SELECT u.id, m.day
FROM moved_days($3) m
JOIN users u ON u.id = m.user_id AND u.created_at >= m.starts AND u.created_at < m.ends AND u.created_at < $4
WHERE m.day BETWEEN $1::date AND $2::date
ON CONFLICT DO NOTHING;

-- name: forget_activity
DELETE FROM activity_day WHERE day BETWEEN $1::date AND $2::date;

-- name: count_activity
-- A session counts on every day that it reaches, with the time it took of it; what overlaps is one time, not two.
WITH zone_day AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($3::jsonb) AS z (zone text, day date, starts timestamptz, ends timestamptz)
    WHERE starts < ends
), around AS (
    SELECT * FROM timed_session
    WHERE kind = 'FOCUS' AND started_at < least($4::timestamptz, (SELECT max(ends) FROM zone_day))
        AND started_at > (SELECT min(starts) FROM zone_day) - interval '16 hours'
), piece AS (
    SELECT t.user_id, z.day, named_feature(t.feature) AS feature,
        tstzrange(greatest(t.started_at, z.starts), least(t.until, z.ends, $4)) AS during
    FROM around t
    JOIN users u ON u.id = t.user_id
    JOIN zone_day z ON z.zone = u.tz AND t.started_at < z.ends AND t.until > z.starts AND z.starts < $4
    WHERE NOT EXISTS (SELECT FROM zone_change c WHERE c.user_id = t.user_id)
    UNION ALL
    SELECT t.user_id, m.day, named_feature(t.feature),
        tstzrange(greatest(t.started_at, m.starts), least(t.until, m.ends, $4))
    FROM around t
    JOIN moved_days($3) m ON m.user_id = t.user_id AND t.started_at < m.ends AND t.until > m.starts AND m.starts < $4
), by_feature AS (
    SELECT user_id, day, feature, count(*) AS sessions, range_agg(during) AS during
    FROM piece WHERE day BETWEEN $1::date AND $2::date
    GROUP BY user_id, day, feature
)
INSERT INTO activity_day (user_id, day, sessions, focus_seconds, features)
SELECT user_id, day, sum(sessions), round(seconds(range_agg(during))),
    coalesce(jsonb_object_agg(feature, sessions) FILTER (WHERE feature IS NOT NULL), '{}')
FROM by_feature
GROUP BY user_id, day;

-- name: forget_figures
DELETE FROM metric_daily WHERE day BETWEEN $1::date AND $2::date;

-- name: count_people
-- Who focused on the day, in the 7 days to it and in the 30; days are complete when they are over in every zone.
-- Everybody's days are read once for all days that are counted: bit 0 is 29 days before the first of them. A bigint has
-- room for 34 days after that.
WITH seen AS MATERIALIZED (
    SELECT user_id, bit_or(1::bigint << (day - ($1::date - 29))) AS days FROM activity_day
    WHERE day > $1 - 30 AND day <= $2::date GROUP BY user_id
)
INSERT INTO metric_daily (day, metric, value)
SELECT d.day, f.metric, f.value
FROM (SELECT z.day, (max(z.ends) <= $4::timestamptz)::int AS is_complete
      FROM jsonb_to_recordset($3::jsonb) AS z (day date, ends timestamptz)
      WHERE z.day BETWEEN $1::date AND $2::date GROUP BY z.day) d
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE of_30 >> 29 <> 0) AS dau, count(*) FILTER (WHERE of_30 >> 23 <> 0) AS wau,
        count(*) AS mau, sum(bit_count(of_30::bit(30))) / 30.0 AS dau_average
    FROM (SELECT days >> (d.day - $1) & (1 << 30) - 1 AS of_30 FROM seen) u WHERE of_30 <> 0) a
CROSS JOIN LATERAL (
    SELECT coalesce(sum(focus_seconds), 0) / 60.0 AS focus_minutes FROM activity_day WHERE day = d.day) t
CROSS JOIN LATERAL (VALUES
    ('is_complete', d.is_complete::numeric), ('dau', a.dau), ('wau', a.wau), ('mau', a.mau),
    ('stickiness', round(a.dau::numeric / nullif(a.mau, 0), 4)),
    ('stickiness_of_30_days', round(a.dau_average / nullif(a.mau, 0), 4)),
    ('new_users', (SELECT count(*) FROM signup_day s WHERE s.day = d.day)),
    ('focus_minutes', round(t.focus_minutes, 2))) AS f (metric, value);

-- name: count_sessions
-- By the day they started on, each with its own length; what was forgotten or is backwards is counted as such.
WITH zone_day AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($3::jsonb) AS z (zone text, day date, starts timestamptz, ends timestamptz)
    WHERE day BETWEEN $1::date AND $2::date
), around AS (
    SELECT user_id, named_feature(feature) AS feature, started_at, ended_at,
        least(coalesce(ended_at, 'infinity'), started_at + interval '16 hours', $4::timestamptz) - started_at AS took
    FROM timer_session
    WHERE kind = 'FOCUS' AND started_at < least($4, (SELECT max(ends) FROM zone_day))
        AND started_at >= (SELECT min(starts) FROM zone_day) - interval '36 hours'
), started AS (
    SELECT z.day, t.*
    FROM around t
    JOIN users u ON u.id = t.user_id
    JOIN zone_day z ON z.zone = u.tz AND t.started_at >= z.starts AND t.started_at < z.ends
    WHERE NOT EXISTS (SELECT FROM zone_change c WHERE c.user_id = t.user_id)
    UNION ALL
    SELECT m.day, t.*
    FROM around t
    JOIN moved_days($3) m ON m.user_id = t.user_id AND t.started_at >= m.starts AND t.started_at < m.ends
    WHERE m.day BETWEEN $1::date AND $2::date
), figure AS (
    SELECT day, count(*) FILTER (WHERE took > interval '0') AS sessions,
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM took)::float8 / 60)
            FILTER (WHERE took > interval '0') AS minutes,
        count(*) FILTER (WHERE ended_at IS NULL AND started_at + interval '16 hours' <= $4) AS without_end,
        count(*) FILTER (WHERE ended_at - started_at > interval '16 hours') AS too_long,
        count(*) FILTER (WHERE ended_at <= started_at) AS backwards
    FROM started GROUP BY day
), every_day AS (
    SELECT d::date AS day FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') d
), kept AS (
    INSERT INTO metric_daily (day, metric, value)
    SELECT d.day, m.metric, m.value
    FROM every_day d LEFT JOIN figure f USING (day)
    CROSS JOIN LATERAL (VALUES
        ('sessions', coalesce(f.sessions, 0)::numeric), ('session_minutes_median', round(f.minutes[1]::numeric, 2)),
        ('session_minutes_p90', round(f.minutes[2]::numeric, 2)), ('sessions_without_end', coalesce(f.without_end, 0)),
        ('sessions_too_long', coalesce(f.too_long, 0)), ('sessions_backwards', coalesce(f.backwards, 0))) AS m (metric, value)
)
INSERT INTO metric_daily (day, metric, dims, value)
SELECT n.day, m.metric, jsonb_build_object('feature', n.feature), m.value
FROM (SELECT day, feature, count(*) AS sessions, sum(count(*)) OVER (PARTITION BY day) AS whole
      FROM started WHERE took > interval '0' AND feature IS NOT NULL GROUP BY day, feature) n
CROSS JOIN LATERAL (VALUES ('feature_sessions', n.sessions::numeric), ('feature_share', round(n.sessions / n.whole, 4)))
    AS m (metric, value);

-- name: count_goals
-- Due on a day that is over for whoever has the goal, and done by its end. Abandoned ones count nowhere, and those of who
-- has deleted the account no more from that day on.
WITH zone_day AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($3::jsonb) AS z (zone text, day date, starts timestamptz, ends timestamptz)
    WHERE day BETWEEN $1::date AND $2::date AND ends <= $4::timestamptz
), figure AS (
    SELECT z.day, count(*) FILTER (WHERE g.due_on = z.day) AS due,
        count(*) FILTER (WHERE g.due_on = z.day AND g.completed_at < z.ends) AS on_time,
        count(*) FILTER (WHERE g.completed_at IS NULL OR g.completed_at >= z.ends) AS open,
        count(*) FILTER (WHERE (g.completed_at IS NULL OR g.completed_at >= z.ends) AND g.due_on <= z.day) AS overdue,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM g.completed_at - g.created_at)::float8 / 3600)
            FILTER (WHERE g.completed_at >= z.starts AND g.completed_at < z.ends) AS lead_hours
    FROM goal g
    JOIN users u ON u.id = g.user_id
    JOIN zone_day z ON z.zone = u.tz AND g.created_at < z.ends AND (u.deleted_at IS NULL OR u.deleted_at >= z.ends)
    WHERE g.status <> 'ABANDONED' AND (g.completed_at IS NULL OR g.completed_at >= z.starts OR g.due_on = z.day)
    GROUP BY z.day
)
INSERT INTO metric_daily (day, metric, value)
SELECT d::date, m.metric, m.value
FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') d
LEFT JOIN figure f ON f.day = d::date
CROSS JOIN LATERAL (VALUES
    ('goals_due', coalesce(f.due, 0)::numeric), ('goals_done_on_time', coalesce(f.on_time, 0)),
    ('goal_completion_rate', round(f.on_time::numeric / nullif(f.due, 0), 4)),
    ('goals_overdue_share', round(f.overdue::numeric / nullif(f.open, 0), 4)),
    ('goal_lead_hours_median', round(f.lead_hours::numeric, 2))) AS m (metric, value);

-- name: retain
-- Of everybody who signed up n days before one of these days, who focused on it. No rate before the day is over in every
-- zone.
INSERT INTO retention AS r (cohort_day, n, size, retained, rate)
SELECT s.day, d.day - s.day, count(*), count(a.user_id),
    CASE WHEN d.is_complete = 1 THEN round(count(a.user_id)::numeric / count(*), 4) END
FROM (SELECT day, value AS is_complete FROM metric_daily
      WHERE metric = 'is_complete' AND day BETWEEN $1::date AND $2::date) d
CROSS JOIN unnest('{1,7,14,30}'::int[]) n
JOIN signup_day s ON s.day = d.day - n
LEFT JOIN activity_day a ON a.user_id = s.user_id AND a.day = d.day
GROUP BY s.day, d.day, d.is_complete
ON CONFLICT (cohort_day, n) DO UPDATE SET size = excluded.size, retained = excluded.retained, rate = excluded.rate;

-- name: judge
-- Complete days against the 14 before them of the same kind (Monday to Friday, or the weekend) that were complete too.
-- What is no longer unusual, counted anew, is none any more.
WITH judged_day AS (
    SELECT day FROM metric_daily WHERE metric = 'is_complete' AND value = 1 AND day BETWEEN $1::date AND $2::date
), verdict AS (
    SELECT m.metric, m.day::timestamp AT TIME ZONE 'UTC' AS at, m.dims, m.value, v.*
    FROM metric_daily m
    JOIN judged_day USING (day)
    CROSS JOIN LATERAL (
        SELECT array_agg(b.value::float8) AS history
        FROM (SELECT b.value FROM metric_daily b
              JOIN metric_daily c ON c.day = b.day AND c.metric = 'is_complete' AND c.value = 1
              WHERE b.metric = m.metric AND b.dims = m.dims AND b.day < m.day AND b.day >= m.day - 49 AND b.value IS NOT NULL
                  AND (extract(isodow FROM b.day) >= 6) = (extract(isodow FROM m.day) >= 6)
              ORDER BY b.day DESC LIMIT 14) b) h
    CROSS JOIN LATERAL judged(m.value::float8, h.history) v
    WHERE m.metric IN ('dau', 'new_users', 'sessions', 'focus_minutes', 'session_minutes_median', 'goals_done_on_time',
            'goal_completion_rate', 'feature_sessions', 'sessions_without_end', 'sessions_too_long', 'sessions_backwards')
        AND m.value IS NOT NULL
), usual AS (
    DELETE FROM anomaly
    WHERE at BETWEEN ($1::date::timestamp AT TIME ZONE 'UTC') AND ($2::date::timestamp AT TIME ZONE 'UTC')
        AND NOT dims ? 'period'
        AND (metric, at, dims) NOT IN (SELECT metric, at, dims FROM verdict WHERE is_unusual)
), kept AS (
    INSERT INTO anomaly AS a (metric, at, dims, value, baseline, score, direction)
    SELECT metric, at, dims, value, baseline, score, direction FROM verdict WHERE is_unusual
    ON CONFLICT (metric, at, dims) DO UPDATE
    SET value = excluded.value, baseline = excluded.baseline, score = excluded.score, direction = excluded.direction
    RETURNING 1
)
SELECT count(*) AS anomalies FROM kept;

-- name: told
-- $1: the day. Its figures, and the newest day that is over in every zone.
SELECT jsonb_object_agg(metric, value) FILTER (WHERE dims = '{}')::text AS figures,
    (SELECT max(day) FROM metric_daily WHERE metric = 'is_complete' AND value = 1)::text AS complete_through
FROM metric_daily WHERE day = $1::date;
