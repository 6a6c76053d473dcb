-- name: write
-- $1: slots. $2: now. $3: where the pages are. $4: goals listed in one mail. Whoever has a session was there, whatever the
-- application noted as their last activity.
WITH slot AS MATERIALIZED (
    SELECT s.*, blank_days(first, 7, 'Dy') AS blank
    FROM jsonb_to_recordset($1::jsonb) AS s (
        zone text, date date, since timestamptz, expires_at timestamptz, today timestamptz, active_since timestamptz,
        first date, starts timestamptz[])
), due AS MATERIALIZED (
    SELECT a.id AS user_id, a.name, s.zone, s.date, coalesce(a.refusal,
        CASE WHEN a.channels ->> 'daily' = 'false' THEN 'daily checks are off'
             WHEN a.workday_mask >> (extract(isodow FROM s.date)::int - 1) & 1 = 0 THEN 'no workday' END) AS refusal
    FROM slot s
    JOIN audience a ON a.tz = s.zone AND a.tz = ANY ($5::text[]) AND a.id > $6::bigint AND a.id <= $7::bigint
        AND a.tz_set_at >= s.since
    WHERE a.created_at <= $2::timestamptz - interval '1 day'
        AND (a.last_activity_at >= s.active_since OR EXISTS (
            SELECT FROM timer_session x
            WHERE x.user_id = a.id AND x.started_at >= s.active_since AND x.started_at <= $2))
        -- Look-ups of a few rows each; as a join it may become a scan of all that a user ever did.
        AND (
            SELECT t.id FROM timed_session t
            WHERE t.user_id = a.id AND t.kind = 'FOCUS' AND t.started_at > s.today - interval '16 hours'
                AND t.until > s.today AND t.started_at <= $2 LIMIT 1) IS NULL
        AND (
            SELECT r.sent_at FROM reminder_log r
            WHERE r.user_id = a.id AND r.kind = 'daily_check' AND r.ref = s.date::text AND r.bucket = '' LIMIT 1) IS NULL
), this_day AS (
    INSERT INTO reminder_log (user_id, kind, ref, sent_at)
    SELECT user_id, 'daily_check', date::text, $2 FROM due WHERE refusal IS NULL
    ON CONFLICT DO NOTHING
), mailed AS (
    INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
    SELECT 'productivity', user_id::text, 'email', 'daily_check', jsonb_build_object(
            'name', name, 'date', d.date, 'url', $3::text, 'days', w.days, 'goals', g.goals, 'more', g.more),
        'promotional', 'productivity:daily_check:' || user_id || ':' || d.date, s.expires_at
    FROM due d
    JOIN slot s USING (zone, date)
    CROSS JOIN LATERAL focused(d.user_id, s.starts[1], s.starts[1], $2) f
    CROSS JOIN LATERAL focus_by_day(f.during, s.blank, s.starts) w
    CROSS JOIN LATERAL open_goals(d.user_id, $4::int, d.date) g
    WHERE d.refusal IS NULL
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM mailed) AS sent,
    (SELECT coalesce(jsonb_object_agg(refusal, people), '{}') FROM (
        SELECT refusal, count(*) AS people FROM due WHERE refusal IS NOT NULL GROUP BY refusal) r)::text AS suppressed;
