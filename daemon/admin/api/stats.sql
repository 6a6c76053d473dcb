-- name: stats
-- $1: jobs. $2: how far back. One row a job that had anything due; percentiles of what ended by itself.
SELECT r.job,
    sum(r.count) AS instants,
    count(*) FILTER (WHERE r.state = 'succeeded') AS succeeded, count(*) FILTER (WHERE r.state = 'failed') AS failed,
    coalesce(sum(r.count) FILTER (WHERE r.state = 'skipped'), 0) AS skipped,
    coalesce(sum(r.count) FILTER (WHERE r.state = 'missed'), 0) AS missed,
    coalesce(sum(r.count) FILTER (WHERE r.state = 'cancelled'), 0) AS cancelled,
    coalesce(sum(r.count) FILTER (WHERE r.state IN ('waiting', 'held', 'ready', 'running')), 0) AS outstanding,
    percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM r.finished_at - r.started_at))
        FILTER (WHERE r.state IN ('succeeded', 'failed')) AS duration,
    percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM r.started_at - r.due_at))
        FILTER (WHERE r.started_at IS NOT NULL AND r.trigger = 'schedule') AS lateness
FROM sexton.run r
WHERE r.job = ANY($1::text[]) AND r.due_at > sexton.clock() - $2::interval AND r.due_at <= sexton.clock()
GROUP BY r.job
ORDER BY r.job;
