-- name: last
SELECT checked_at, overall, checks, recommendations FROM system_check ORDER BY checked_at DESC LIMIT 1;

-- name: history
SELECT checked_at, overall FROM system_check ORDER BY checked_at DESC LIMIT $1;
