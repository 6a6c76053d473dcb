-- name: write
-- $1: slots. $2: now. $3: where the pages are. $4: goals listed in one mail. A goal is told once as due tomorrow and once
-- as due within the week after; moved to another date, anew. All of it is one statement, so that whoever is deleted or
-- changes their wishes meanwhile is seen as before or as after.
WITH slot AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb)
        AS s (zone text, date date, since timestamptz, expires_at timestamptz)
), person AS (
    SELECT a.id AS user_id, a.name, s.date, s.expires_at,
        coalesce(a.refusal, CASE WHEN a.channels ->> 'goal' = 'false' THEN 'reminders of goals are off' END) AS refusal
    FROM slot s
    JOIN audience a ON a.tz = s.zone AND a.tz_set_at >= s.since
    WHERE NOT EXISTS (
        SELECT FROM reminder_log r
        WHERE r.user_id = a.id AND r.kind = 'goal_deadlines' AND r.ref = s.date::text AND r.bucket = '')
), due AS MATERIALIZED (
    SELECT p.*, g.id, g.title, g.due_on, g.progress, b.bucket
    FROM person p
    JOIN goal g ON g.user_id = p.user_id AND g.status = 'OPEN' AND g.due_on BETWEEN p.date + 1 AND p.date + 7
    CROSS JOIN LATERAL (SELECT CASE WHEN g.due_on = p.date + 1 THEN 'tomorrow' ELSE 'next week' END AS bucket) b
    -- A look-up of the whole key each; as a join it may become a scan of all that a user was told.
    WHERE (SELECT r.sent_at FROM reminder_log r
           WHERE r.user_id = p.user_id AND r.kind = 'goal' AND r.ref = g.id::text
               AND r.bucket = b.bucket || ' ' || g.due_on
           LIMIT 1) IS NULL
), this_day AS (
    INSERT INTO reminder_log (user_id, kind, ref, sent_at)
    SELECT DISTINCT user_id, 'goal_deadlines', date::text, $2::timestamptz FROM due WHERE refusal IS NULL
    ON CONFLICT DO NOTHING
), told AS (
    INSERT INTO reminder_log (user_id, kind, ref, bucket, sent_at)
    SELECT user_id, 'goal', id::text, bucket || ' ' || due_on, $2 FROM due WHERE refusal IS NULL
    ON CONFLICT DO NOTHING
), ranked AS (
    SELECT d.*, row_number() OVER (PARTITION BY d.user_id ORDER BY d.due_on, d.id) AS nth
    FROM due d WHERE d.refusal IS NULL
), mailed AS (
    INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
    SELECT 'productivity', user_id::text, 'email', 'goal_deadlines', jsonb_build_object(
            'name', min(name), 'date', min(date), 'url', $3::text, 'tomorrow', count(*) FILTER (WHERE bucket = 'tomorrow'),
            'next_week', count(*) FILTER (WHERE bucket <> 'tomorrow'), 'more', greatest(count(*) - $4::int, 0),
            'goals', jsonb_agg(jsonb_build_object(
                'id', id, 'title', title, 'due', to_char(due_on, 'Dy FMDD Mon'), 'days', due_on - date, 'progress', progress
            ) ORDER BY nth) FILTER (WHERE nth <= $4)),
        'promotional', 'productivity:goal_deadlines:' || user_id || ':' || min(date), min(expires_at)
    FROM ranked GROUP BY user_id
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM mailed) AS sent,
    (SELECT coalesce(jsonb_object_agg(refusal, people), '{}') FROM (
        SELECT refusal, count(DISTINCT user_id) AS people FROM due WHERE refusal IS NOT NULL GROUP BY refusal) r
    )::text AS suppressed;
