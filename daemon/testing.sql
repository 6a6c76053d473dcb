-- name: insert_run
-- $6: an earlier run to be performed again, or null for a new one.
INSERT INTO sexton.run (id, job, due_at, logical_date, trigger, state, not_before, token, node, attempt, started_at, args)
VALUES (coalesce($6, nextval('sexton.run_id')), $1, $2, $3, 'schedule', 'running', $2, nextval('sexton.token'), $4, 1,
        sexton.clock(), $5::jsonb)
ON CONFLICT (id) DO UPDATE
SET state = 'running', token = nextval('sexton.token'), node = excluded.node, attempt = sexton.run.attempt + 1,
    finished_at = NULL, reason = NULL
RETURNING id, job, due_at, due_until, count, logical_date, trigger, token, attempt, failures, rescues, started_at,
    args, cursor;
