-- name: ask
INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, priority, not_before)
VALUES ('jewellery.webhook_timeout_handler', sexton.clock(), current_date, 'manual', 'ready', 0, sexton.clock())
RETURNING id;

-- name: ended
SELECT state, extract(epoch FROM finished_at - started_at)::float8 AS seconds, result FROM sexton.run
WHERE id = $1 AND state IN ('succeeded', 'failed', 'cancelled');
