-- name: stop_all
INSERT INTO sexton.emergency_stop (stopped_by, reason) VALUES ($1, $2)
ON CONFLICT DO NOTHING
RETURNING stopped_by, stopped_at, reason;

-- name: in_force
SELECT stopped_by, stopped_at, reason FROM sexton.emergency_stop FOR UPDATE;

-- name: end_stop
DELETE FROM sexton.emergency_stop RETURNING stopped_by, stopped_at, reason;

-- name: running
-- What the stop is about to end, for the audit and the answer.
SELECT id, job FROM sexton.run WHERE state = 'running' ORDER BY id;

-- name: cancelled_by_stop
-- $1: the reason. $2: since. Runs of polls are left out: the next pass does the same work.
SELECT id, job FROM sexton.run
WHERE state = 'cancelled' AND reason = $1 AND finished_at >= $2 AND trigger <> 'poll'
ORDER BY id;

-- name: held_by_stop
SELECT id FROM sexton.run WHERE state = 'held' AND reason = $1 ORDER BY job, due_at;
