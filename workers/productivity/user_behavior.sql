-- name: watermark
SELECT at FROM watermark WHERE name = 'user_behavior';

-- name: next_users
-- $1: after this one. $2: changed since, less a quarter of an hour, for what was committed late; null: anybody who has
-- sessions. $3: at most so many. $4: the first instant that counts.
SELECT array_agg(id) AS ids, max(id) AS last
FROM (SELECT u.id FROM users u
      WHERE u.id > $1::bigint AND u.deleted_at IS NULL
          AND EXISTS (
              SELECT FROM timer_session t WHERE t.user_id = u.id
                  AND coalesce(t.changed_at, t.started_at) >= coalesce($2::timestamptz - interval '15 minutes', $4))
      ORDER BY u.id LIMIT $3) batch;

-- name: describe
-- $1: people. $2: now. $3: days of every zone, the last 29 and today's neighbours. $4: offsets of every zone. Their last 28
-- days, today not among them, in the zone that they live in now. The hour of the week is counted from Monday's midnight.
WITH zone_day AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($3::jsonb) AS z (zone text, day date, starts timestamptz, ends timestamptz)
    WHERE starts < ends
), zone_offset AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($4::jsonb) AS z (zone text, since timestamptz, until timestamptz, "offset" int)
), today AS MATERIALIZED (
    SELECT * FROM (
        SELECT zone, day, starts, ends, lag(day) OVER of_zone AS yesterday,
            min(starts) OVER (of_zone RANGE BETWEEN interval '28 days' PRECEDING AND CURRENT ROW) AS window_starts
        FROM zone_day WINDOW of_zone AS (PARTITION BY zone ORDER BY day)) z
    WHERE $2::timestamptz >= starts AND $2 < ends
), person AS MATERIALIZED (
    SELECT u.id, u.tz, z.day AS today, z.starts AS window_ends, z.yesterday, z.window_starts
    FROM users u JOIN today z ON z.zone = u.tz
    WHERE u.id = ANY ($1::bigint[])
), recent AS MATERIALIZED (
    SELECT p.id, p.tz, p.today, p.window_starts, p.window_ends, t.kind, named_feature(t.feature) AS feature, t.started_at,
        least(t.until, $2) AS until
    FROM person p JOIN timed_session t ON t.user_id = p.id
        AND t.started_at > p.window_starts - interval '16 hours' AND t.started_at < $2
), whole AS (
    SELECT id, kind, range_agg(tstzrange(greatest(started_at, window_starts), least(until, window_ends))) AS during
    FROM recent WHERE until > window_starts AND started_at < window_ends
    GROUP BY id, kind
), effort AS (
    SELECT id, coalesce(sum(seconds(during)) FILTER (WHERE kind = 'FOCUS'), 0) AS focus,
        coalesce(sum(seconds(during)) FILTER (WHERE kind = 'BREAK'), 0) AS break
    FROM whole GROUP BY id
), started AS MATERIALIZED (
    SELECT r.id, r.feature, extract(epoch FROM r.until - r.started_at)::float8 / 60 AS minutes,
        ((extract(isodow FROM l.wall) - 1) * 24 + extract(hour FROM l.wall))::int AS hour
    FROM recent r
    JOIN zone_offset o ON o.zone = r.tz AND r.started_at >= o.since AND r.started_at < o.until
    CROSS JOIN LATERAL (SELECT (r.started_at AT TIME ZONE 'UTC') + o."offset" * interval '1 second' AS wall) l
    WHERE r.kind = 'FOCUS' AND r.started_at >= r.window_starts AND r.started_at < r.window_ends
), hours AS (
    SELECT h.id, array_agg(coalesce(n.sessions, 0) ORDER BY h.hour) AS histogram,
        (array_agg(h.hour ORDER BY coalesce(n.sessions, 0) DESC, h.hour))[1] AS peak
    FROM (SELECT id, hour FROM (SELECT DISTINCT id FROM started) s, generate_series(0, 167) hour) h
    LEFT JOIN (SELECT id, hour, count(*)::int AS sessions FROM started GROUP BY id, hour) n USING (id, hour)
    GROUP BY h.id
), lengths AS (
    SELECT id, count(*) AS sessions, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY minutes) AS minutes
    FROM started GROUP BY id
), shares AS (
    SELECT id, jsonb_object_agg(feature, share) AS features
    FROM (SELECT id, feature, round(count(*)::numeric / sum(count(*)) OVER (PARTITION BY id), 4) AS share
          FROM started WHERE feature IS NOT NULL GROUP BY id, feature) f
    GROUP BY id
), daily AS MATERIALIZED (
    SELECT p.id, z.day, z.day = p.today AS is_today,
        seconds(range_agg(tstzrange(greatest(r.started_at, z.starts), least(r.until, z.ends)))) AS focus
    FROM person p
    JOIN zone_day z ON z.zone = p.tz AND z.day BETWEEN p.today - 28 AND p.today
    JOIN recent r ON r.id = p.id AND r.kind = 'FOCUS' AND r.started_at < z.ends AND r.until > z.starts
    GROUP BY p.id, z.day, p.today
), trends AS (
    SELECT p.id, theil_sen(array_agg(coalesce(d.focus, 0) / 60 ORDER BY g.n)) AS slope
    FROM person p
    CROSS JOIN generate_series(1, 28) AS g (n)
    LEFT JOIN daily d ON d.id = p.id AND d.day = p.today - 29 + g.n AND NOT d.is_today
    GROUP BY p.id
), active AS (
    SELECT p.id, p.today, a.day FROM person p JOIN activity_day a ON a.user_id = p.id AND a.day < p.today - 28
    UNION
    SELECT p.id, p.today, d.day FROM person p JOIN daily d ON d.id = p.id
), left_out AS MATERIALIZED ( -- a date that a zone left out ends no streak
    SELECT p.id, z.day
    FROM person p JOIN jsonb_to_recordset($3) AS z (zone text, day date, starts timestamptz, ends timestamptz) ON z.zone = p.tz
    WHERE z.starts >= z.ends
), runs AS (
    SELECT id, today, count(*) AS length, max(day) AS last
    FROM (SELECT a.id, a.today, a.day, a.day - (SELECT count(*) FROM left_out l WHERE l.id = a.id AND l.day < a.day)::int
              - (row_number() OVER (PARTITION BY a.id ORDER BY a.day))::int AS island FROM active a) i
    GROUP BY id, today, island
), streaks AS (
    SELECT r.id, max(r.length) AS longest, coalesce(max(r.length) FILTER (WHERE r.last >= p.yesterday), 0) AS current
    FROM runs r JOIN person p USING (id) GROUP BY r.id
), kept AS (
    INSERT INTO behavior AS b (user_id, window_end, payload)
    SELECT p.id, $2, jsonb_build_object(
        'zone', p.tz, 'through', p.today - 1, 'hours', coalesce(to_jsonb(h.histogram), 'null'), 'peak_hour_of_week', h.peak,
        'sessions', coalesce(l.sessions, 0), 'session_minutes_median', round(l.minutes[1]::numeric, 2),
        'session_minutes_p90', round(l.minutes[2]::numeric, 2),
        'focus_minutes', round((coalesce(e.focus, 0) / 60)::numeric, 2),
        'focus_ratio', round((e.focus / nullif(e.focus + e.break, 0))::numeric, 4),
        'current_streak', coalesce(s.current, 0), 'longest_streak', coalesce(s.longest, 0),
        'features', coalesce(f.features, '{}'), 'focus_minutes_trend', round(t.slope::numeric, 4))
    FROM person p
    JOIN trends t USING (id)
    LEFT JOIN hours h USING (id) LEFT JOIN lengths l USING (id) LEFT JOIN effort e USING (id)
    LEFT JOIN streaks s USING (id) LEFT JOIN shares f USING (id)
    ON CONFLICT (user_id, window_end) DO UPDATE SET payload = excluded.payload
    RETURNING 1
)
SELECT count(*) AS described FROM kept;

-- name: set_watermark
INSERT INTO watermark AS w (name, at) VALUES ('user_behavior', $1::timestamptz)
ON CONFLICT (name) DO UPDATE SET at = greatest(w.at, excluded.at);
