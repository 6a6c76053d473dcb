-- name: write
-- $1: slots. $2: now. $3: where the pages are. $4: goals listed in one mail. Each step once for one absence, which is
-- known by the last activity before it. `late`: instants before which it is a day more each. Whoever has a session since was
-- there, whatever the application noted.
WITH slot AS MATERIALIZED (
    SELECT s.*, t.* FROM jsonb_to_recordset($1::jsonb)
        AS s (zone text, date date, since timestamptz, expires_at timestamptz, steps jsonb)
    CROSS JOIN jsonb_to_recordset(s.steps)
        AS t (step int, earliest timestamptz, latest timestamptz, late timestamptz[])
), away AS MATERIALIZED (
    SELECT a.id AS user_id, a.name, s.date, s.expires_at, s.step, s.latest,
        s.step + (SELECT count(*) FROM unnest(s.late) l (since) WHERE a.last_activity_at < l.since) AS days,
        extract(epoch FROM a.last_activity_at)::bigint::text AS absence,
        coalesce(a.refusal, CASE WHEN a.channels ->> 'inactive' = 'false' THEN 'nudges are off' END) AS refusal
    FROM slot s
    JOIN audience a ON a.tz = s.zone AND a.tz = ANY ($5::text[]) AND a.id > $6::bigint AND a.id <= $7::bigint
        AND a.tz_set_at >= s.since AND a.last_activity_at >= s.earliest AND a.last_activity_at < s.latest
), due AS MATERIALIZED (
    -- Look-ups of a row each; as joins they may become scans of all that was ever noted.
    SELECT a.* FROM away a
    WHERE (SELECT r.sent_at FROM reminder_log r
            WHERE r.user_id = a.user_id AND r.kind = 'absence' AND r.ref = a.absence AND r.bucket = a.step::text LIMIT 1) IS NULL
        AND (SELECT r.sent_at FROM reminder_log r
            WHERE r.user_id = a.user_id AND r.kind = 'inactive_users' AND r.ref = a.date::text AND r.bucket = '' LIMIT 1) IS NULL
        AND (SELECT x.id FROM timer_session x
            WHERE x.user_id = a.user_id AND x.started_at >= a.latest AND x.started_at <= $2::timestamptz LIMIT 1) IS NULL
), this_day AS (
    INSERT INTO reminder_log (user_id, kind, ref, sent_at)
    SELECT user_id, 'inactive_users', date::text, $2::timestamptz FROM due WHERE refusal IS NULL
    ON CONFLICT DO NOTHING
), this_step AS (
    INSERT INTO reminder_log (user_id, kind, ref, bucket, sent_at)
    SELECT user_id, 'absence', absence, step::text, $2 FROM due WHERE refusal IS NULL
    ON CONFLICT DO NOTHING
), mailed AS (
    INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
    SELECT 'productivity', user_id::text, 'email', 'inactive_users', jsonb_build_object(
            'name', name, 'date', date, 'url', $3::text, 'days', days, 'last', step = 30,
            'goals', g.goals, 'more', g.more),
        'promotional', 'productivity:inactive_users:' || user_id || ':' || date, expires_at
    FROM due d
    CROSS JOIN LATERAL open_goals(d.user_id, $4::int, d.date) g
    WHERE d.refusal IS NULL
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM mailed) AS sent,
    (SELECT coalesce(jsonb_object_agg(refusal, people), '{}') FROM (
        SELECT refusal, count(*) AS people FROM due WHERE refusal IS NOT NULL GROUP BY refusal) r)::text AS suppressed;
