-- name: write
-- $1: slots. $2: now. $3: where the pages are. $4: goals listed in one mail. Who neither focused nor had a goal due or
-- done in the month gets nothing. A goal is done on time by the end of its due date.
WITH slot AS MATERIALIZED (
    SELECT s.*, starts[1] AS month_starts, starts[cardinality(starts)] AS month_ends,
        blank_days(month, date - month, 'FMDD Mon') AS blank
    FROM jsonb_to_recordset($1::jsonb) AS s (
        zone text, date date, since timestamptz, expires_at timestamptz, month date, before timestamptz,
        starts timestamptz[])
), due AS MATERIALIZED (
    SELECT a.id AS user_id, a.name, s.zone, s.date,
        coalesce(a.refusal, CASE WHEN a.channels ->> 'monthly' = 'false' THEN 'monthly reports are off' END) AS refusal
    FROM slot s
    JOIN audience a ON a.tz = s.zone AND a.tz = ANY ($5::text[]) AND a.id > $6::bigint AND a.id <= $7::bigint
        AND a.tz_set_at >= s.since
    WHERE (EXISTS (SELECT FROM timed_session t
                WHERE t.user_id = a.id AND t.kind = 'FOCUS' AND t.started_at >= s.month_starts AND t.started_at < s.month_ends)
            OR EXISTS (SELECT FROM goal g
                WHERE g.user_id = a.id AND g.status = 'DONE' AND g.completed_at >= s.month_starts AND g.completed_at < s.month_ends)
            OR EXISTS (SELECT FROM goal g
                WHERE g.user_id = a.id AND g.status <> 'ABANDONED' AND g.due_on >= s.month AND g.due_on < s.date))
        AND (
            SELECT r.sent_at FROM reminder_log r
            WHERE r.user_id = a.id AND r.kind = 'monthly_report' AND r.ref = s.date::text AND r.bucket = '' LIMIT 1) IS NULL
), this_day AS (
    INSERT INTO reminder_log (user_id, kind, ref, sent_at)
    SELECT user_id, 'monthly_report', date::text, $2::timestamptz FROM due WHERE refusal IS NULL
    ON CONFLICT DO NOTHING
), mailed AS (
    INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
    SELECT 'productivity', user_id::text, 'email', 'monthly_report', jsonb_build_object(
            'name', name, 'month', to_char(month, 'YYYY-MM'), 'month_name', to_char(month, 'FMMonth'), 'url', $3::text,
            'days', w.days, 'best', w.best - 'day', 'minutes', w.seconds / 60,
            'active_days', w.active, 'sessions', f.sessions, 'minutes_before', b.seconds / 60, 'done', g.done,
            'due', g.due, 'on_time', g.on_time, 'missed', coalesce(g.missed, '[]'),
            'more', greatest(g.due - g.due_done - $4::int, 0)),
        'promotional', 'productivity:monthly_report:' || user_id || ':' || s.month, s.expires_at
    FROM due d
    JOIN slot s USING (zone, date)
    CROSS JOIN LATERAL focused(d.user_id, s.before, s.month_starts, s.month_ends) f
    CROSS JOIN LATERAL focus_by_day(f.during, s.blank, s.starts) w
    CROSS JOIN LATERAL (SELECT seconds(f.during * tstzmultirange(tstzrange(s.before, s.month_starts)))::bigint AS seconds) b
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE was_done) AS done, count(*) FILTER (WHERE was_due) AS due,
            count(*) FILTER (WHERE was_due AND status = 'DONE') AS due_done,
            count(*) FILTER (WHERE was_due AND completed_at < due_end) AS on_time,
            jsonb_agg(jsonb_build_object('id', id, 'title', title, 'due', to_char(due_on, 'FMDD Mon YYYY'), 'progress', progress,
                'overdue', true) ORDER BY nth)
                FILTER (WHERE was_due AND status = 'OPEN' AND nth <= $4) AS missed
        FROM (SELECT n.*,
                  CASE WHEN n.due_on >= s.month AND n.due_on < s.date THEN s.starts[n.due_on - s.month + 2] END AS due_end,
                  coalesce(n.due_on >= s.month AND n.due_on < s.date, false) AS was_due,
                  coalesce(n.completed_at >= s.month_starts AND n.completed_at < s.month_ends, false) AS was_done,
                  row_number() OVER (PARTITION BY n.status, n.due_on >= s.month AND n.due_on < s.date
                      ORDER BY n.due_on, n.id) AS nth
              FROM (SELECT * FROM goal
                    WHERE user_id = d.user_id AND status <> 'ABANDONED' AND due_on >= s.month AND due_on < s.date
                    UNION
                    SELECT * FROM goal
                    WHERE user_id = d.user_id AND status = 'DONE' AND completed_at >= s.month_starts
                        AND completed_at < s.month_ends) n) n
        WHERE was_due OR was_done) g
    WHERE d.refusal IS NULL
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM mailed) AS sent,
    (SELECT coalesce(jsonb_object_agg(refusal, people), '{}') FROM (
        SELECT refusal, count(*) AS people FROM due WHERE refusal IS NOT NULL GROUP BY refusal) r)::text AS suppressed;
