-- name: write
-- $1: slots. $2: now. $3: where the pages are. $4: goals listed in one mail. Who has not focused for two weeks, and has
-- either no open goal or one as long forgotten as they have stayed away, gets nothing.
WITH slot AS MATERIALIZED (
    SELECT s.*, starts[1] AS week_starts, least(starts[8], $2::timestamptz) AS week_ends,
        blank_days(first, 7, 'Dy') AS blank
    FROM jsonb_to_recordset($1::jsonb) AS s (
        zone text, date date, since timestamptz, expires_at timestamptz, before timestamptz, first date,
        starts timestamptz[], away_since timestamptz, forgotten date)
), due AS MATERIALIZED (
    SELECT a.id AS user_id, a.name, s.zone, s.date,
        coalesce(a.refusal, CASE WHEN a.channels ->> 'weekly' = 'false' THEN 'weekly reviews are off' END) AS refusal
    FROM slot s
    JOIN audience a ON a.tz = s.zone AND a.tz = ANY ($5::text[]) AND a.id > $6::bigint AND a.id <= $7::bigint
        AND a.tz_set_at >= s.since
    WHERE (EXISTS (SELECT FROM goal g WHERE g.user_id = a.id AND g.status = 'OPEN' AND (a.last_activity_at >= s.away_since
                OR g.due_on >= s.forgotten OR g.created_at >= s.away_since))
            OR EXISTS (SELECT FROM goal g WHERE g.user_id = a.id AND g.status = 'DONE' AND g.completed_at >= s.week_starts)
            OR EXISTS (SELECT FROM timed_session t WHERE t.user_id = a.id AND t.kind = 'FOCUS' AND t.started_at >= s.before
                AND t.started_at <= $2))
        AND (
            SELECT r.sent_at FROM reminder_log r
            WHERE r.user_id = a.id AND r.kind = 'weekly_review' AND r.ref = s.date::text AND r.bucket = '' LIMIT 1) IS NULL
), this_day AS (
    INSERT INTO reminder_log (user_id, kind, ref, sent_at)
    SELECT user_id, 'weekly_review', date::text, $2 FROM due WHERE refusal IS NULL
    ON CONFLICT DO NOTHING
), mailed AS (
    INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
    SELECT 'productivity', user_id::text, 'email', 'weekly_review', jsonb_build_object(
            'name', name, 'date', d.date, 'first', to_char(s.first, 'FMDD Mon'), 'last', to_char(d.date, 'FMDD Mon'),
            'url', $3::text, 'days', w.days, 'minutes', w.seconds / 60, 'sessions', f.sessions,
            'minutes_before', b.seconds / 60, 'done', g.done, 'overdue', g.overdue,
            'due_next_week', g.due_next_week, 'open', g.open, 'more', greatest(g.open - $4::int, 0),
            'completed', coalesce(g.completed, '[]'), 'goals', coalesce(g.goals, '[]')),
        'promotional', 'productivity:weekly_review:' || user_id || ':' || d.date, s.expires_at
    FROM due d
    JOIN slot s USING (zone, date)
    CROSS JOIN LATERAL focused(d.user_id, s.before, s.week_starts, s.week_ends) f
    CROSS JOIN LATERAL focus_by_day(f.during, s.blank, s.starts) w
    CROSS JOIN LATERAL (SELECT seconds(f.during * tstzmultirange(tstzrange(s.before, s.week_starts)))::bigint AS seconds) b
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE status = 'DONE') AS done, count(*) FILTER (WHERE status = 'OPEN') AS open,
            count(*) FILTER (WHERE status = 'OPEN' AND due_on < d.date) AS overdue,
            count(*) FILTER (WHERE status = 'OPEN' AND due_on BETWEEN d.date + 1 AND d.date + 7) AS due_next_week,
            jsonb_agg(jsonb_build_object('id', id, 'title', title) ORDER BY nth)
                FILTER (WHERE status = 'DONE' AND nth <= $4) AS completed,
            jsonb_agg(jsonb_build_object('id', id, 'title', title, 'due', to_char(due_on, 'FMDD Mon YYYY'), 'progress', progress,
                'overdue', coalesce(due_on < d.date, false)) ORDER BY nth)
                FILTER (WHERE status = 'OPEN' AND nth <= $4) AS goals
        FROM (SELECT id, title, due_on, progress, status, row_number() OVER (PARTITION BY status ORDER BY due_on, id) AS nth
              FROM goal
              WHERE user_id = d.user_id
                  AND (status = 'OPEN' OR (status = 'DONE' AND completed_at >= s.week_starts AND completed_at < s.week_ends))) n) g
    WHERE d.refusal IS NULL
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM mailed) AS sent,
    (SELECT coalesce(jsonb_object_agg(refusal, people), '{}') FROM (
        SELECT refusal, count(*) AS people FROM due WHERE refusal IS NOT NULL GROUP BY refusal) r)::text AS suppressed;
