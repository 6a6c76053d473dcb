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
