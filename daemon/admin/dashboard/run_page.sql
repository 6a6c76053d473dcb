-- name: last_lines
-- The newest first. $2: how many.
SELECT at, level, line FROM sexton.run_log WHERE run = $1 ORDER BY seq DESC LIMIT $2;
