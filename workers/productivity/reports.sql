-- $1, $2: the first and the last day. The newest first. Usual is what would have a score of at most 3.5: the score of an
-- unusual value says how wide that is; where nothing ever varied, a fifth of the usual value, and 5.

-- name: active_people
SELECT f.day, f.dau, f.wau, f.mau, f.stickiness, f.new_users, a.direction, CASE WHEN a.low < 0 THEN 0 ELSE round(a.low) END AS usual_low,
    round(a.high) AS usual_high, f.is_complete IS DISTINCT FROM 1 AS so_far
FROM (
    SELECT day, max(value) FILTER (WHERE metric = 'dau') AS dau, max(value) FILTER (WHERE metric = 'wau') AS wau,
        max(value) FILTER (WHERE metric = 'mau') AS mau, max(value) FILTER (WHERE metric = 'stickiness') AS stickiness,
        max(value) FILTER (WHERE metric = 'new_users') AS new_users,
        max(value) FILTER (WHERE metric = 'is_complete') AS is_complete
    FROM metric_daily
    WHERE day BETWEEN $1::date AND $2::date AND dims = '{}'
        AND metric IN ('dau', 'wau', 'mau', 'stickiness', 'new_users', 'is_complete')
    GROUP BY day) f
LEFT JOIN unusual_figure a ON a.metric = 'dau' AND a.dims = '{}' AND a.at = f.day::timestamp AT TIME ZONE 'UTC'
ORDER BY f.day DESC;

-- name: focus_time
SELECT f.day, f.focus_minutes, f.sessions, f.median_minutes, f.p90_minutes, a.direction,
    CASE WHEN a.low < 0 THEN 0 ELSE a.low END AS usual_low, a.high AS usual_high, f.is_complete IS DISTINCT FROM 1 AS so_far
FROM (
    SELECT day, max(value) FILTER (WHERE metric = 'focus_minutes') AS focus_minutes,
        max(value) FILTER (WHERE metric = 'sessions') AS sessions,
        max(value) FILTER (WHERE metric = 'session_minutes_median') AS median_minutes,
        max(value) FILTER (WHERE metric = 'session_minutes_p90') AS p90_minutes,
        max(value) FILTER (WHERE metric = 'is_complete') AS is_complete
    FROM metric_daily
    WHERE day BETWEEN $1::date AND $2::date AND dims = '{}'
        AND metric IN ('focus_minutes', 'sessions', 'session_minutes_median', 'session_minutes_p90', 'is_complete')
    GROUP BY day) f
LEFT JOIN unusual_figure a ON a.metric = 'focus_minutes' AND a.dims = '{}' AND a.at = f.day::timestamp AT TIME ZONE 'UTC'
ORDER BY f.day DESC;

-- name: goals
SELECT f.day, f.rate, f.due, f.done, f.overdue_share, f.lead_hours, a.direction,
    CASE WHEN a.low < 0 THEN 0 ELSE a.low END AS usual_low, CASE WHEN a.high > 1 THEN 1 ELSE a.high END AS usual_high, f.is_complete IS DISTINCT FROM 1 AS so_far
FROM (
    SELECT day, max(value) FILTER (WHERE metric = 'goal_completion_rate') AS rate,
        max(value) FILTER (WHERE metric = 'goals_due') AS due,
        max(value) FILTER (WHERE metric = 'goals_done_on_time') AS done,
        max(value) FILTER (WHERE metric = 'goals_overdue_share') AS overdue_share,
        max(value) FILTER (WHERE metric = 'goal_lead_hours_median') AS lead_hours,
        max(value) FILTER (WHERE metric = 'is_complete') AS is_complete
    FROM metric_daily
    WHERE day BETWEEN $1::date AND $2::date AND dims = '{}'
        AND metric IN ('goal_completion_rate', 'goals_due', 'goals_done_on_time', 'goals_overdue_share',
            'goal_lead_hours_median', 'is_complete')
    GROUP BY day) f
LEFT JOIN unusual_figure a
    ON a.metric = 'goal_completion_rate' AND a.dims = '{}' AND a.at = f.day::timestamp AT TIME ZONE 'UTC'
ORDER BY f.day DESC;

-- name: retention_weeks
-- Each day weighs as many as signed up on it; a week's people are those of days that are over for that n. Weeks and
-- months begin with the one that the first day is in.
WITH cohort AS (
    SELECT cohort_day - extract(dow FROM cohort_day)::int AS week, cohort_day, n, size, retained, rate
    FROM retention WHERE cohort_day BETWEEN $1::date - extract(dow FROM $1::date)::int AND $2::date
), whole AS (
    SELECT week, sum(size)::bigint AS size FROM (SELECT DISTINCT week, cohort_day, size FROM cohort) s GROUP BY week
)
SELECT c.week, w.size, c.n, sum(c.retained) FILTER (WHERE c.rate IS NOT NULL)::bigint AS retained,
    round(sum(c.retained) FILTER (WHERE c.rate IS NOT NULL)
        / nullif(sum(c.size) FILTER (WHERE c.rate IS NOT NULL), 0)::numeric, 4) AS rate
FROM cohort c JOIN whole w USING (week)
GROUP BY c.week, w.size, c.n
ORDER BY c.week DESC, c.n;

-- name: retention_days
SELECT cohort_day AS day, size, n, CASE WHEN rate IS NOT NULL THEN retained END AS retained, rate
FROM retention WHERE cohort_day BETWEEN $1::date AND $2::date
ORDER BY cohort_day DESC, n;

-- name: features
SELECT s.week_start AS week, s.dims ->> 'feature' AS feature, s.value AS sessions, p.value AS share
FROM metric_weekly s
LEFT JOIN metric_weekly p ON p.metric = 'feature_share' AND p.week_start = s.week_start AND p.dims = s.dims
WHERE s.metric = 'feature_sessions' AND s.week_start > $1::date - 7 AND s.week_start <= $2::date
ORDER BY week DESC, sessions DESC, feature;

-- name: weeks
SELECT week_start AS week, max(value) FILTER (WHERE metric = 'wau') AS wau,
    max(value) FILTER (WHERE metric = 'dau_average') AS dau_average, max(value) FILTER (WHERE metric = 'mau') AS mau,
    max(value) FILTER (WHERE metric = 'stickiness') AS stickiness,
    max(value) FILTER (WHERE metric = 'new_users') AS new_users,
    max(value) FILTER (WHERE metric = 'sessions') AS sessions,
    max(value) FILTER (WHERE metric = 'focus_minutes') AS focus_minutes,
    max(value) FILTER (WHERE metric = 'focus_minutes_trend') AS focus_trend,
    max(value) FILTER (WHERE metric = 'goal_completion_rate') AS goal_rate
FROM metric_weekly WHERE week_start > $1::date - 7 AND week_start <= $2::date AND dims = '{}'
GROUP BY week_start ORDER BY week_start DESC;

-- name: months
SELECT month, max(value) FILTER (WHERE metric = 'dau_average') AS dau_average,
    max(value) FILTER (WHERE metric = 'mau') AS mau, max(value) FILTER (WHERE metric = 'stickiness') AS stickiness,
    max(value) FILTER (WHERE metric = 'new_users') AS new_users,
    max(value) FILTER (WHERE metric = 'sessions') AS sessions,
    max(value) FILTER (WHERE metric = 'focus_minutes') AS focus_minutes,
    max(value) FILTER (WHERE metric = 'focus_minutes_trend') AS focus_trend,
    max(value) FILTER (WHERE metric = 'goal_completion_rate') AS goal_rate,
    max(value) FILTER (WHERE metric = 'retention' AND dims = '{"n": 1}') AS retained_1,
    max(value) FILTER (WHERE metric = 'retention' AND dims = '{"n": 7}') AS retained_7,
    max(value) FILTER (WHERE metric = 'retention' AND dims = '{"n": 30}') AS retained_30
FROM metric_monthly WHERE month BETWEEN date_trunc('month', $1::date::timestamp)::date AND $2::date
    AND (dims = '{}' OR metric = 'retention')
GROUP BY month ORDER BY month DESC;

-- name: unusual
-- Days, weeks and months are dates of everybody's own calendar; only hours are instants.
SELECT to_char(at AT TIME ZONE 'UTC',
        CASE dims ->> 'period' WHEN 'hour' THEN 'YYYY-MM-DD HH24:MI "UTC"' ELSE 'YYYY-MM-DD' END) AS at,
    coalesce(dims ->> 'period', 'day') AS period, replace(metric, '_', ' ') AS metric,
    (SELECT string_agg(value, ', ') FROM jsonb_each_text(dims) d (key, value) WHERE key <> 'period') AS of,
    value, direction, baseline, CASE WHEN low < 0 AND metric NOT LIKE '%trend' THEN 0 ELSE low END AS usual_low, high AS usual_high, score
FROM unusual_figure
WHERE at >= $1::date::timestamp AT TIME ZONE 'UTC' AND at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'
ORDER BY at DESC, abs(score) DESC NULLS FIRST, metric;
