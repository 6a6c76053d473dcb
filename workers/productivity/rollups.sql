-- name: roll_up_week
-- $1: a Sunday.
WITH stale AS (
    DELETE FROM metric_weekly WHERE week_start = $1::date
        AND (metric, dims) NOT IN (SELECT metric, dims FROM rolled_up($1::date, $1::date + 7))
)
INSERT INTO metric_weekly (week_start, metric, dims, value)
SELECT $1::date, metric, dims, value FROM rolled_up($1::date, $1::date + 7)
ON CONFLICT (week_start, metric, dims) DO UPDATE SET value = excluded.value;

-- name: roll_up_month
-- $1: the first of a month. Also what became of its cohorts, each weighted by its people.
WITH rolled AS MATERIALIZED (
    SELECT metric, dims, value FROM rolled_up($1::date, ($1::date + interval '1 month')::date)
    UNION ALL
    SELECT 'retention', jsonb_build_object('n', n), round(sum(retained)::numeric / nullif(sum(size), 0), 4)
    FROM retention
    WHERE cohort_day >= $1::date AND cohort_day < $1::date + interval '1 month' AND rate IS NOT NULL
    GROUP BY n
), stale AS (
    DELETE FROM metric_monthly WHERE month = $1::date AND (metric, dims) NOT IN (SELECT metric, dims FROM rolled)
)
INSERT INTO metric_monthly (month, metric, dims, value)
SELECT $1::date, metric, dims, value FROM rolled
ON CONFLICT (month, metric, dims) DO UPDATE SET value = excluded.value;

-- name: weeks_of
-- $1, $2: days. Weeks with any of them that were rolled up before.
SELECT DISTINCT week_start AS start FROM metric_weekly WHERE week_start > $1::date - 7 AND week_start <= $2::date ORDER BY 1;

-- name: months_of
-- $1, $2: days. Months with any of them, or with cohorts that matured on one, that were rolled up before.
SELECT DISTINCT month AS start FROM metric_monthly WHERE month > $1::date - interval '62 days' AND month <= $2::date ORDER BY 1;

-- name: weeks_before
-- $1: a Sunday. Earlier weeks whose days were all counted and that nobody rolled up, for the first run to compare with.
SELECT w::date AS start
FROM generate_series(
    (SELECT min(day) + (7 - extract(dow FROM min(day))::int) % 7 FROM metric_daily)::timestamp,
    $1::date - interval '7 days', interval '7 days') w
WHERE NOT EXISTS (SELECT FROM metric_weekly m WHERE m.week_start = w::date)
ORDER BY 1;

-- name: months_before
-- $1: the first of a month. As above.
SELECT m::date AS start
FROM generate_series(
    (SELECT date_trunc('month', min(day)::timestamp + interval '1 month' - interval '1 day') FROM metric_daily),
    $1::date - interval '1 month', interval '1 month') m
WHERE NOT EXISTS (SELECT FROM metric_monthly n WHERE n.month = m::date)
ORDER BY 1;

-- name: anomalies
-- Of weeks or of months: {rollup} is their table, {start} its first column. $1: the first day. $2: 'week' or 'month'.
-- Against the 14 before, when all of its days are over in every zone.
WITH verdict AS (
    SELECT m.metric, $1::date::timestamp AT TIME ZONE 'UTC' AS at, m.dims || jsonb_build_object('period', $2::text) AS dims,
        m.value, v.*
    FROM {rollup} m
    CROSS JOIN LATERAL (
        SELECT array_agg(b.value::float8) AS history
        FROM (SELECT b.value FROM {rollup} b
              WHERE b.metric = m.metric AND b.dims = m.dims AND b.{start} < m.{start}
                  AND b.{start} >= m.{start} - ('14 ' || $2)::interval AND b.value IS NOT NULL) b) h
    CROSS JOIN LATERAL judged(m.value::float8, h.history) v
    WHERE m.{start} = $1::date AND m.value IS NOT NULL AND m.metric <> 'days' AND EXISTS (
        SELECT FROM {rollup} d WHERE d.{start} = $1 AND d.metric = 'days'
            AND d.value = ($1 + ('1 ' || $2)::interval)::date - $1)
), usual AS (
    DELETE FROM anomaly WHERE at = $1::date::timestamp AT TIME ZONE 'UTC' AND dims ->> 'period' = $2
        AND (metric, dims) NOT IN (SELECT metric, dims FROM verdict WHERE is_unusual)
), kept AS (
    INSERT INTO anomaly AS a (metric, at, dims, value, baseline, score, direction)
    SELECT metric, at, dims, value, baseline, score, direction FROM verdict WHERE is_unusual
    ON CONFLICT (metric, at, dims) DO UPDATE
    SET value = excluded.value, baseline = excluded.baseline, score = excluded.score, direction = excluded.direction
    RETURNING 1
)
SELECT count(*) AS anomalies FROM kept;

-- name: figures
-- As above. Each figure, and that of the week or month before.
SELECT n.metric, n.dims::text AS dims, n.value, b.value AS before
FROM {rollup} n
LEFT JOIN {rollup} b
    ON b.metric = n.metric AND b.dims = n.dims AND b.{start} = (n.{start} - ('1 ' || $2::text)::interval)::date
WHERE n.{start} = $1::date ORDER BY n.metric, n.dims;
