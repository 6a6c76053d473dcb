-- name: measures
-- $1: now. Of this suite's jobs in 30 days: their success rate, p95 duration in seconds, missed instants, and hours since
-- the last success; then how long due runs and messages have waited, in seconds. A metric of a job is named METRIC/JOB.
WITH run AS (
    SELECT split_part(job, '.', 2) AS job, state, due_at, count, extract(epoch FROM finished_at - started_at)::float8 AS took,
        finished_at
    FROM sexton.run
    WHERE job LIKE 'productivity.%' AND due_at > $1::timestamptz - interval '30 days' AND due_at <= $1
), of_job AS (
    SELECT job, count(*) FILTER (WHERE state = 'succeeded') AS good,
        count(*) FILTER (WHERE state IN ('succeeded', 'failed')) AS ended,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY took) FILTER (WHERE state = 'succeeded') AS p95,
        coalesce(sum(count) FILTER (WHERE state = 'missed'), 0) AS missed,
        extract(epoch FROM $1 - max(finished_at) FILTER (WHERE state = 'succeeded'))::float8 / 3600 AS age
    FROM run GROUP BY job
)
SELECT metric || '/' || job AS metric, value
FROM of_job CROSS JOIN LATERAL (VALUES
    ('success_rate', good::float8 / nullif(ended, 0)), ('p95_seconds', p95), ('missed', missed::float8),
    ('hours_since_success', age)) AS m (metric, value)
WHERE value IS NOT NULL
UNION ALL
SELECT 'due_runs_waited_seconds', greatest(coalesce(extract(epoch FROM $1 - min(r.not_before)), 0), 0)::float8
FROM sexton.run r WHERE r.state = 'ready' AND r.job LIKE 'productivity.%'
UNION ALL
SELECT 'messages_waited_seconds', greatest(coalesce(extract(epoch FROM $1 - min(o.not_before)), 0), 0)::float8
FROM sexton.outbox o WHERE o.state = 'pending' AND o.suite = 'productivity';

-- name: ping
SELECT 1;

-- name: keep
-- $1: the hour. $2: metrics, $3: their values. What was measured before in this hour is replaced.
WITH stale AS (
    DELETE FROM perf_sample WHERE at = $1::timestamptz AND metric <> ALL ($2::text[])
)
INSERT INTO perf_sample (at, metric, value)
SELECT $1, metric, value FROM unnest($2::text[], $3::float8[]) AS m (metric, value)
ON CONFLICT (at, metric) DO UPDATE SET value = excluded.value;

-- name: judge
-- $1: the hour. Against the same hour of the 14 days before.
WITH verdict AS (
    SELECT s.metric, s.value, v.*
    FROM perf_sample s
    CROSS JOIN LATERAL (
        SELECT array_agg(b.value) AS history FROM perf_sample b
        WHERE b.metric = s.metric AND b.at IN (SELECT s.at - n * interval '24 hours' FROM generate_series(1, 14) n)) h
    CROSS JOIN LATERAL judged(s.value, h.history) v
    WHERE s.at = $1::timestamptz
), usual AS (
    DELETE FROM anomaly a USING verdict v
    WHERE a.metric = v.metric AND a.at = $1 AND a.dims = '{"period": "hour"}' AND NOT v.is_unusual
), kept AS (
    INSERT INTO anomaly AS a (metric, at, dims, value, baseline, score, direction)
    SELECT metric, $1, '{"period": "hour"}', value, baseline, score, direction FROM verdict WHERE is_unusual
    ON CONFLICT (metric, at, dims) DO UPDATE
    SET value = excluded.value, baseline = excluded.baseline, score = excluded.score, direction = excluded.direction
    RETURNING metric
)
SELECT coalesce(array_agg(metric ORDER BY metric), '{}') AS metrics FROM kept;
