-- name: try_alone
-- One node tidies at a time; which one does not matter.
SELECT pg_try_advisory_xact_lock(hashtextextended('sexton.housekeeping', 0));

-- name: purge_runs
-- $1, $2: jobs and how long the rows of each are kept. $3: at most so many. What still waits for a person is never
-- old enough. Kept from the latest of its instants and its end: what was made up for late, or by hand, is as new as that.
DELETE FROM sexton.run
WHERE id = ANY (ARRAY(
    SELECT old.id
    FROM unnest($1::text[], $2::interval[]) AS j (name, retention)
    CROSS JOIN LATERAL (
        SELECT r.id FROM sexton.run r
        WHERE r.job = j.name AND r.due_at < sexton.clock() - j.retention
          AND greatest(r.due_at, r.due_until, r.finished_at) < sexton.clock() - j.retention
          AND r.state IN ('succeeded', 'failed', 'skipped', 'missed', 'cancelled')
          AND NOT (r.strict AND r.state = 'failed' AND r.waived_by IS NULL)
        ORDER BY r.due_at LIMIT $3
        FOR UPDATE SKIP LOCKED) old
    LIMIT $3));

-- name: free_jobs
-- No statement leaves a job held by a run that is over; a row deleted by hand would, for ever.
UPDATE sexton.job j SET running_run = NULL
WHERE j.running_run IS NOT NULL
  AND NOT EXISTS (SELECT FROM sexton.run r WHERE r.id = j.running_run AND r.state IN ('ready', 'running'))
RETURNING j.name;

-- name: purge_nodes
DELETE FROM sexton.node n
WHERE n.dead_at < sexton.clock() - interval '7 days'
  AND NOT EXISTS (SELECT FROM sexton.run r WHERE r.node = n.incarnation);

-- name: purge_events
DELETE FROM sexton.event WHERE dispatched_at < sexton.clock() - interval '30 days';

-- name: purge_tokens
-- A session is of no interest once it is over; a token may be asked about for a while.
DELETE FROM sexton.access_token
WHERE expires_at < sexton.clock() - CASE WHEN parent IS NULL THEN interval '90 days' ELSE interval '1 day' END;

-- name: purge_approvals
DELETE FROM sexton.approval WHERE expires_at < sexton.clock() - interval '90 days';

-- name: purge_request_keys
DELETE FROM sexton.request_key WHERE at < sexton.clock() - interval '1 day';
