-- name: paused
SELECT paused_by IS NOT NULL FROM sexton.job WHERE name = $1;

-- name: running
SELECT id FROM sexton.run WHERE job = $1 AND state = 'running' ORDER BY id;
