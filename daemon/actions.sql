-- name: lock_runs
SELECT id, job, due_at, logical_date, trigger, state, reason, strict, attempt, failures, waived_by,
    not_before > sexton.clock() AS later
FROM sexton.run
WHERE id = ANY($1::bigint[])
ORDER BY id
FOR NO KEY UPDATE;

-- name: held_runs
-- $2: only those whose reason looks so; null for all.
SELECT id FROM sexton.run
WHERE job = $1 AND state = 'held' AND ($2::text IS NULL OR reason LIKE $2)
ORDER BY due_at;

-- name: retry_run
-- A run that never started would be judged again like one the schedule just made: too late, overlapping,
-- coalesced. A person asked for this one, so from here on it is manual. Its old cancel request is forgotten.
WITH forgotten AS (
    DELETE FROM sexton.cancel_request WHERE run = $1
)
UPDATE sexton.run
SET state = 'ready', reason = 'retried by ' || $2::text, not_before = sexton.clock(), failures = 0, rescues = 0,
    finished_at = NULL, waived_by = NULL, requested_by = $2,
    trigger = CASE WHEN attempt = 0 AND trigger = 'schedule' THEN 'manual' ELSE trigger END
WHERE id = $1;

-- name: covering
-- The run that stands for a date: the one the unique index speaks of.
SELECT id, state FROM sexton.run
WHERE job = $1 AND logical_date = $2 AND daily AND NOT again AND state NOT IN ('skipped', 'missed', 'cancelled')
ORDER BY id LIMIT 1;

-- name: due_exactly_at
SELECT id, state FROM sexton.run WHERE job = $1 AND due_at = $2;

-- name: release_runs
-- $2: the jobs that depend on others; their runs wait for those first.
UPDATE sexton.run
SET state = CASE WHEN job = ANY($2::text[]) THEN 'waiting' ELSE 'ready' END, reason = NULL, finished_at = NULL
WHERE id = ANY($1::bigint[]) AND state = 'held'
RETURNING id, state;

-- name: waive_runs
WITH waived AS (
    UPDATE sexton.run
    SET state = 'cancelled', reason = 'waived by ' || $2::text, waived_by = $2,
        finished_at = coalesce(finished_at, sexton.clock())
    WHERE id = ANY($1::bigint[]) AND state NOT IN ('running', 'succeeded')
    RETURNING id, job
)
UPDATE sexton.job j SET running_run = NULL FROM waived w WHERE j.name = w.job AND j.running_run = w.id;

-- name: cancel_runs
-- A run that waits for its next try still holds its job.
WITH cancelled AS (
    UPDATE sexton.run
    SET state = 'cancelled', reason = 'cancelled by ' || $2::text, finished_at = sexton.clock()
    WHERE id = ANY($1::bigint[]) AND state IN ('waiting', 'held', 'ready')
    RETURNING id, job
)
UPDATE sexton.job j SET running_run = NULL FROM cancelled c WHERE j.name = c.job AND j.running_run = c.id;

-- name: ask_to_cancel
INSERT INTO sexton.cancel_request (run, requested_by)
SELECT r.run, $2 FROM unnest($1::bigint[]) AS r (run)
ON CONFLICT (run) DO UPDATE SET requested_by = excluded.requested_by, requested_at = sexton.clock();

-- name: pause_job
UPDATE sexton.job
SET paused_by = $2, paused_at = sexton.clock(), revision = revision + 1, changed_by = $2, changed_at = sexton.clock()
WHERE name = $1
RETURNING paused_by, paused_at;

-- name: resume_job
UPDATE sexton.job
SET paused_by = NULL, paused_at = NULL, revision = revision + 1, changed_by = $2, changed_at = sexton.clock()
WHERE name = $1;

-- name: lock_request
-- Whoever asks with the same key at the same moment waits, and then finds the run of the first.
SELECT pg_advisory_xact_lock(hashtextextended('sexton.request ' || $1::text || ' ' || $2::text, 0));

-- name: requested_before
SELECT run FROM sexton.request_key WHERE who = $1 AND key = $2;

-- name: keep_request
INSERT INTO sexton.request_key (who, key, run) VALUES ($1, $2, $3);
