-- name: runs
-- The newest first. $1: in these states; null for all. $2: how many.
SELECT id, job, due_at, trigger, state, reason, attempt, started_at, finished_at, result, error
FROM sexton.run
WHERE $1::text IS NULL OR state = $1
ORDER BY id DESC
LIMIT $2;

-- name: runs_of_job
SELECT id, job, due_at, trigger, state, reason, attempt, started_at, finished_at, result, error
FROM sexton.run
WHERE job = $3 AND ($1::text IS NULL OR state = $1)
ORDER BY due_at DESC
LIMIT $2;

-- name: known_by_ledger
-- Jobs that are in no suite any more still have their history.
SELECT EXISTS (SELECT FROM sexton.run WHERE job = $1);
