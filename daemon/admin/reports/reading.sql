-- name: look_at
SELECT set_config('search_path', $1, true);

-- name: last_success
-- $1: jobs.
SELECT n.job, r.id, r.finished_at
FROM unnest($1::text[]) AS n (job)
CROSS JOIN LATERAL (
    SELECT id, finished_at FROM sexton.run
    WHERE job = n.job AND state = 'succeeded' AND finished_at IS NOT NULL ORDER BY due_at DESC LIMIT 1) r;
