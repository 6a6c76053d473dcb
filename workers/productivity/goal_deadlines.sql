-- name: write
-- $1: slots. $2: now. $3: where the pages are. $4: goals listed in one mail. A goal is told once as due tomorrow and once
-- as due within the week after; moved to another date, anew. All of it is one statement, so that whoever is deleted or
-- changes their wishes meanwhile is seen as before or as after.
WITH slot AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb)
        AS s (zone text, date date, since timestamptz, expires_at timestamptz)
), candidate AS MATERIALIZED (
    SELECT a.id AS user_id, a.name, s.date, s.expires_at, g.id, g.title, g.due_on, g.progress,
        CASE WHEN g.due_on = s.date + 1 THEN 'tomorrow' ELSE 'next week' END AS bucket,
        coalesce(a.refusal, CASE WHEN a.channels ->> 'goal' = 'false' THEN 'reminders of goals are off' END) AS refusal
    FROM slot s
    JOIN audience a ON a.tz = s.zone AND a.tz = ANY ($5::text[]) AND a.id > $6::bigint AND a.id <= $7::bigint
        AND a.tz_set_at >= s.since
    JOIN goal g ON g.user_id = a.id AND g.user_id > $6 AND g.user_id <= $7 AND g.status = 'OPEN'
        AND g.due_on BETWEEN s.date + 1 AND s.date + 7
    WHERE g.due_on BETWEEN (SELECT min(date) + 1 FROM slot) AND (SELECT max(date) + 7 FROM slot)
), due AS MATERIALIZED (
    -- Look-ups of the whole key each; as joins they may become scans of all that a user was told.
    SELECT c.* FROM candidate c
    WHERE (SELECT r.sent_at FROM reminder_log r
            WHERE r.user_id = c.user_id AND r.kind = 'goal_deadlines' AND r.ref = c.date::text AND r.bucket = '' LIMIT 1) IS NULL
        AND (SELECT r.sent_at FROM reminder_log r
            WHERE r.user_id = c.user_id AND r.kind = 'goal' AND r.ref = c.id::text AND r.bucket = c.bucket || ' ' || c.due_on
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
