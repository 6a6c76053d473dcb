-- name: write
-- $1: zones whose clocks show one of the local times. $2: the tick. $3: where the pages are. $4: minutes of focus after
-- which a break is due, counted from the start of the session, the last break and the last reminder of one. A break that
-- has not ended has somebody in it. Who has said nothing works from Monday to Friday.
WITH slot AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS s (zone text, isodow int, clock time)
), due AS MATERIALIZED (
    SELECT DISTINCT ON (a.id) a.id AS user_id, a.name, t.id AS session_id, g.title,
        floor(extract(epoch FROM $2::timestamptz - f.without_break) / 60)::int AS minutes,
        coalesce(a.refusal, CASE
            WHEN a.channels ->> 'break' = 'false' THEN 'reminders of breaks are off'
            WHEN coalesce(a.workday_mask, 31) >> (s.isodow - 1) & 1 = 0 THEN 'no workday'
            WHEN a.quiet_start <= a.quiet_end AND s.clock >= a.quiet_start AND s.clock < a.quiet_end
                OR a.quiet_start > a.quiet_end AND (s.clock >= a.quiet_start OR s.clock < a.quiet_end)
                THEN 'quiet hours' END) AS refusal
    FROM slot s
    JOIN audience a ON a.tz = s.zone
    JOIN timed_session t ON t.user_id = a.id AND t.ended_at IS NULL AND t.kind = 'FOCUS' AND t.until > $2
        AND t.started_at <= $2 - make_interval(mins => $4::int)
    LEFT JOIN goal g ON g.id = t.goal_id
    CROSS JOIN LATERAL (SELECT greatest(t.started_at,
            (SELECT max(b.until) FROM timed_session b
             WHERE b.user_id = a.id AND b.kind = 'BREAK' AND b.started_at > t.started_at - interval '16 hours'
                 AND b.started_at <= $2)) AS without_break,
        (SELECT max(r.sent_at) FROM reminder_log r WHERE r.user_id = a.id AND r.kind = 'break_reminders') AS reminded) f
    WHERE greatest(f.without_break, f.reminded) <= $2 - make_interval(mins => $4)
    ORDER BY a.id, t.started_at, t.id
), told AS (
    INSERT INTO reminder_log (user_id, kind, ref, bucket, sent_at)
    SELECT user_id, 'break_reminders', session_id::text, extract(epoch FROM $2)::bigint::text, $2
    FROM due WHERE refusal IS NULL
    ON CONFLICT DO NOTHING
), mailed AS (
    INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
    SELECT 'productivity', user_id::text, 'email', 'break_reminders',
        jsonb_build_object('name', name, 'url', $3::text, 'minutes', minutes, 'title', title), 'promotional',
        'productivity:break_reminders:' || session_id || ':' || extract(epoch FROM $2)::bigint,
        $2 + interval '15 minutes'
    FROM due WHERE refusal IS NULL
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM mailed) AS sent,
    (SELECT coalesce(jsonb_object_agg(refusal, people), '{}') FROM (
        SELECT refusal, count(*) AS people FROM due WHERE refusal IS NOT NULL GROUP BY refusal) r)::text AS suppressed;
