-- name: last_lines
-- The newest first. $2: how many.
SELECT at, level, line FROM sexton.run_log WHERE run = $1 ORDER BY seq DESC LIMIT $2;

-- name: open_runs
-- Of all jobs. One statement a state: each has a partial index, which a list of states would not use.
SELECT 'failed' AS state, count(*) FROM sexton.run WHERE state = 'failed'
UNION ALL SELECT 'held', count(*) FROM sexton.run WHERE state = 'held'
UNION ALL SELECT 'waiting', count(*) FROM sexton.run WHERE state = 'waiting'
UNION ALL SELECT 'ready', count(*) FROM sexton.run WHERE state = 'ready'
UNION ALL SELECT 'running', count(*) FROM sexton.run WHERE state = 'running';
