-- name: latest
-- Of these jobs: the last run that ended, the last that succeeded, and how many are known to have succeeded.
SELECT n.job, l.state, l.error, l.finished_at, l.duration_s, s.finished_at AS succeeded_at, c.succeeded
FROM unnest($1::text[]) AS n (job)
LEFT JOIN LATERAL (
    SELECT r.state, r.error, r.finished_at, extract(epoch FROM r.finished_at - r.started_at)::float8 AS duration_s
    FROM sexton.run r
    WHERE r.job = n.job AND r.state IN ('succeeded', 'failed', 'cancelled') AND r.started_at IS NOT NULL
    ORDER BY r.due_at DESC LIMIT 1
) l ON true
LEFT JOIN LATERAL (
    SELECT r.finished_at FROM sexton.run r WHERE r.job = n.job AND r.state = 'succeeded' ORDER BY r.due_at DESC LIMIT 1
) s ON true
LEFT JOIN LATERAL (SELECT count(*) AS succeeded FROM sexton.run r WHERE r.job = n.job AND r.state = 'succeeded') c ON true;

-- name: statistics
-- Of these jobs, over the 30 days to $2: what became of their due instants, and how long those took that succeeded.
SELECT n.job, count(*) FILTER (WHERE r.state = 'succeeded') AS succeeded, count(*) FILTER (WHERE r.state = 'failed') AS failed,
    count(*) FILTER (WHERE r.state = 'cancelled') AS cancelled,
    coalesce(sum(r.count) FILTER (WHERE r.state = 'missed'), 0)::bigint AS missed,
    avg(extract(epoch FROM r.finished_at - r.started_at)::float8) FILTER (WHERE r.state = 'succeeded') AS average_s,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM r.finished_at - r.started_at)::float8)
        FILTER (WHERE r.state = 'succeeded') AS p95_s
FROM unnest($1::text[]) AS n (job)
LEFT JOIN sexton.run r ON r.job = n.job AND r.due_at > $2::timestamptz - interval '30 days' AND r.due_at <= $2
GROUP BY n.job;
