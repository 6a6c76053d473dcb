-- The bare statements that weekly_review and monthly_report are measured against, as those of reminders.sql. $1: now.
-- $2: where the pages are. Nobody in the bench has more goals than a mail lists.

-- name: bare_weekly_review
WITH day AS MATERIALIZED (
    SELECT d::date AS day, tstzrange(d, least(d + interval '1 day', $1::timestamptz)) AS whole
    FROM generate_series($1::timestamptz::date - 6, $1::timestamptz::date, interval '1 day') d
), focus AS MATERIALIZED (
    SELECT user_id, range_agg(tstzrange(started_at, least(until, $1)) * tstzrange($1::timestamptz::date - 13, $1)) AS during,
        count(*) FILTER (WHERE until > $1::timestamptz::date - 6) AS sessions,
        bool_or(started_at >= $1::timestamptz::date - 13) AS recent
    FROM timed_session
    WHERE kind = 'FOCUS' AND started_at < $1 AND started_at > $1::timestamptz::date - 13 - interval '16 hours'
        AND until > $1::timestamptz::date - 13
    GROUP BY user_id
), planned AS MATERIALIZED (
    SELECT user_id, bool_or(status = 'DONE') AS any_done, bool_or(status = 'OPEN') AS any_open,
        bool_or(status = 'OPEN' AND (due_on >= $1::timestamptz::date - 30 OR created_at >= $1::timestamptz::date - 30)) AS fresh,
        count(*) FILTER (WHERE status = 'DONE' AND completed_at < $1) AS done, count(*) FILTER (WHERE status = 'OPEN') AS open,
        count(*) FILTER (WHERE status = 'OPEN' AND due_on < $1::timestamptz::date) AS overdue,
        count(*) FILTER (WHERE status = 'OPEN' AND due_on BETWEEN $1::timestamptz::date + 1 AND $1::timestamptz::date + 7) AS due_next_week,
        jsonb_agg(jsonb_build_object('id', id, 'title', title) ORDER BY due_on, id)
            FILTER (WHERE status = 'DONE' AND completed_at < $1) AS completed,
        jsonb_agg(jsonb_build_object('id', id, 'title', title, 'due', to_char(due_on, 'FMDD Mon YYYY'), 'progress', progress,
            'overdue', coalesce(due_on < $1::timestamptz::date, false)) ORDER BY due_on, id) FILTER (WHERE status = 'OPEN') AS goals
    FROM goal WHERE status = 'OPEN' OR status = 'DONE' AND completed_at >= $1::timestamptz::date - 6
    GROUP BY user_id
), due AS MATERIALIZED (
    SELECT u.id, u.name, f.during, coalesce(f.sessions, 0) AS sessions, g.done, g.open, g.overdue, g.due_next_week, g.completed,
        g.goals
    FROM users u LEFT JOIN focus f ON f.user_id = u.id LEFT JOIN planned g ON g.user_id = u.id
    WHERE u.deleted_at IS NULL AND (f.recent OR g.any_done OR g.fresh
        OR g.any_open AND coalesce(u.last_activity_at, u.created_at) >= $1::timestamptz::date - 30)
), this_day AS (
    INSERT INTO reminder_log SELECT id, 'weekly_review', $1::timestamptz::date::text, '', $1 FROM due
), drawn AS (
    SELECT d.id, jsonb_agg(jsonb_build_object('day', w.day, 'label', to_char(w.day, 'Dy'), 'minutes', coalesce(s.seconds, 0) / 60)
            ORDER BY w.day) AS days, sum(s.seconds)::bigint AS seconds
    FROM due d CROSS JOIN day w
    CROSS JOIN LATERAL (SELECT sum(extract(epoch FROM upper(r) - lower(r)))::bigint AS seconds
        FROM unnest(d.during * tstzmultirange(w.whole)) r) s
    GROUP BY d.id
)
INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
SELECT 'productivity', d.id::text, 'email', 'weekly_review', jsonb_build_object(
        'name', d.name, 'date', $1::timestamptz::date, 'first', to_char($1::timestamptz::date - 6, 'FMDD Mon'),
        'last', to_char($1::timestamptz::date, 'FMDD Mon'), 'url', $2::text, 'days', w.days, 'minutes', coalesce(w.seconds, 0) / 60,
        'sessions', d.sessions, 'minutes_before', seconds(d.during * tstzmultirange(
            tstzrange($1::timestamptz::date - 13, $1::timestamptz::date - 6)))::bigint / 60,
        'done', coalesce(d.done, 0), 'overdue', coalesce(d.overdue, 0), 'due_next_week', coalesce(d.due_next_week, 0),
        'open', coalesce(d.open, 0), 'more', 0, 'completed', coalesce(d.completed, '[]'), 'goals', coalesce(d.goals, '[]')),
    'promotional', 'productivity:weekly_review:' || d.id || ':' || $1::timestamptz::date, $1 + interval '24 hours'
FROM due d JOIN drawn w USING (id);

-- name: bare_monthly_report
-- Of the month before that of now, which is its first day.
WITH day AS MATERIALIZED (
    SELECT d::date AS day, tstzrange(d, d + interval '1 day') AS whole
    FROM generate_series($1::timestamptz::date - interval '1 month', $1::timestamptz::date - 1, interval '1 day') d
), month AS MATERIALIZED (
    SELECT min(day) AS first, min(lower(whole)) AS starts, max(upper(whole)) AS ends,
        min(lower(whole)) - interval '1 month' AS before FROM day
), focus AS MATERIALIZED (
    SELECT t.user_id, range_agg(tstzrange(t.started_at, least(t.until, m.ends)) * tstzrange(m.before, m.ends)) AS during,
        count(*) FILTER (WHERE t.until > m.starts) AS sessions, bool_or(t.started_at >= m.starts) AS this_month
    FROM month m JOIN timed_session t ON t.started_at < m.ends AND t.started_at > m.before - interval '16 hours' AND t.until > m.before
    WHERE t.kind = 'FOCUS' AND t.started_at > $1::timestamptz - interval '64 days' AND t.started_at < $1
    GROUP BY t.user_id
), planned AS MATERIALIZED (
    SELECT g.user_id, count(*) FILTER (WHERE g.completed_at >= m.starts AND g.completed_at < m.ends) AS done,
        count(*) FILTER (WHERE g.due_on >= m.first AND g.due_on < m.ends::date) AS due,
        count(*) FILTER (WHERE g.due_on >= m.first AND g.due_on < m.ends::date AND g.completed_at < g.due_on + 1) AS on_time,
        jsonb_agg(jsonb_build_object('id', g.id, 'title', g.title, 'due', to_char(g.due_on, 'FMDD Mon YYYY'), 'progress', g.progress,
            'overdue', true) ORDER BY g.due_on, g.id)
            FILTER (WHERE g.due_on >= m.first AND g.due_on < m.ends::date AND g.status = 'OPEN') AS missed
    FROM month m JOIN goal g ON g.status <> 'ABANDONED' AND (g.due_on >= m.first AND g.due_on < m.ends::date
        OR g.completed_at >= m.starts AND g.completed_at < m.ends)
    GROUP BY g.user_id
), due AS MATERIALIZED (
    SELECT u.id, u.name, f.during, coalesce(f.sessions, 0) AS sessions, coalesce(g.done, 0) AS done, coalesce(g.due, 0) AS due,
        coalesce(g.on_time, 0) AS on_time, coalesce(g.missed, '[]') AS missed
    FROM users u LEFT JOIN focus f ON f.user_id = u.id LEFT JOIN planned g ON g.user_id = u.id
    WHERE u.deleted_at IS NULL AND (f.this_month OR g.user_id IS NOT NULL)
), this_day AS (
    INSERT INTO reminder_log SELECT id, 'monthly_report', $1::timestamptz::date::text, '', $1 FROM due
), drawn AS (
    SELECT d.id, jsonb_agg(w.drawn ORDER BY w.day) AS days, sum(w.seconds)::bigint AS seconds,
        count(*) FILTER (WHERE w.seconds > 0) AS active,
        (array_agg(w.drawn ORDER BY w.seconds DESC NULLS LAST, w.day))[1] - 'day' AS best
    FROM due d CROSS JOIN LATERAL (
        SELECT y.day, s.seconds, jsonb_build_object(
            'day', y.day, 'label', to_char(y.day, 'FMDD Mon'), 'minutes', coalesce(s.seconds, 0) / 60) AS drawn
        FROM day y CROSS JOIN LATERAL (SELECT sum(extract(epoch FROM upper(r) - lower(r)))::bigint AS seconds
            FROM unnest(d.during * tstzmultirange(y.whole)) r) s) w
    GROUP BY d.id
)
INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, expires_at)
SELECT 'productivity', d.id::text, 'email', 'monthly_report', jsonb_build_object(
        'name', d.name, 'month', to_char(m.first, 'YYYY-MM'), 'month_name', to_char(m.first, 'FMMonth'), 'url', $2::text,
        'days', w.days, 'best', w.best, 'minutes', coalesce(w.seconds, 0) / 60, 'active_days', w.active, 'sessions', d.sessions,
        'minutes_before', seconds(d.during * tstzmultirange(tstzrange(m.before, m.starts)))::bigint / 60, 'done', d.done,
        'due', d.due, 'on_time', d.on_time, 'missed', d.missed, 'more', 0),
    'promotional', 'productivity:monthly_report:' || d.id || ':' || m.first, $1 + interval '3 days'
FROM due d JOIN drawn w USING (id) CROSS JOIN month m;
