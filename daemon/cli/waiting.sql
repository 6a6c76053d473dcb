-- name: outcome
SELECT id, job, state, reason, error, result, attempt, failures, not_before,
    extract(epoch FROM finished_at - started_at)::float8 AS duration_s
FROM sexton.run
WHERE id = $1;
