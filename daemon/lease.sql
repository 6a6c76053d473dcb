-- name: register
INSERT INTO sexton.node (incarnation, name, home, version, lease_until)
VALUES ($1, $2, $3, $4, sexton.clock() + make_interval(secs => $5));

-- name: renew
-- No row: this incarnation was declared dead. The others' leases come along, for whoever watches them.
WITH renewed AS (
    UPDATE sexton.node SET lease_until = sexton.clock() + make_interval(secs => $2)
    WHERE incarnation = $1 AND dead_at IS NULL
    RETURNING incarnation
)
SELECT sexton.clock() AS now, (SELECT count(*) FROM renewed) AS renewed, n.incarnation, n.name, n.lease_until
FROM (SELECT) always
LEFT JOIN sexton.node n ON n.dead_at IS NULL AND n.incarnation <> $1;

-- name: predecessors
-- Nodes of this same host and state directory: whoever holds the directory's lock knows they are gone.
SELECT incarnation, name FROM sexton.node WHERE home = $1 AND dead_at IS NULL AND incarnation <> $2;

-- name: bury
-- Swap the node to dead. $3: also when its lease still runs, for a predecessor known to be gone.
UPDATE sexton.node SET dead_at = sexton.clock(), dead_reason = $2
WHERE incarnation = $1 AND dead_at IS NULL AND ($3 OR lease_until < sexton.clock())
RETURNING incarnation;

-- name: rescue_runs
-- In the transaction that buried the node: its runs get new tokens, so that nothing it still says counts.
-- $2: how many times a run may take its node down before it is a dead letter.
-- A run that somebody asked to cancel is cancelled: nobody is left who could stop it.
WITH doomed AS (
    SELECT r.id, c.requested_by FROM sexton.run r LEFT JOIN sexton.cancel_request c ON c.run = r.id
    WHERE r.node = $1 AND r.state = 'running'
    FOR UPDATE OF r
), rescued AS (
    UPDATE sexton.run r
    SET rescues = rescues + 1, node = NULL, token = nextval('sexton.token'), not_before = sexton.clock(),
        state = CASE WHEN trigger = 'poll' OR d.requested_by IS NOT NULL THEN 'cancelled'
                     WHEN rescues + 1 > $2 THEN 'failed' ELSE 'ready' END,
        reason = CASE WHEN trigger = 'poll' THEN 'its node died; the queue keeps its items'
                      WHEN d.requested_by IS NOT NULL THEN 'cancelled by ' || d.requested_by
                      WHEN rescues + 1 > $2 THEN 'the node died ' || rescues + 1 || ' times while running this'
                      ELSE 'its node died' END,
        finished_at = CASE WHEN trigger = 'poll' OR d.requested_by IS NOT NULL OR rescues + 1 > $2
                           THEN sexton.clock() END
    FROM doomed d
    WHERE r.id = d.id
    RETURNING r.id, r.job, r.state, r.reason, r.attempt, r.started_at
), freed AS (
    UPDATE sexton.job j SET running_run = NULL
    FROM rescued r WHERE j.name = r.job AND j.running_run = r.id AND r.state <> 'ready'
), tried AS (
    INSERT INTO sexton.attempt (run, number, outcome, node, started_at, finished_at, error)
    SELECT id, attempt, 'node died', $1, started_at, sexton.clock(), NULL FROM rescued
    ON CONFLICT (run, number) DO NOTHING
)
SELECT id, job, state, reason FROM rescued;

-- name: running_for_the_dead
SELECT DISTINCT r.node, n.name
FROM sexton.run r JOIN sexton.node n ON n.incarnation = r.node
WHERE r.state = 'running' AND n.dead_at IS NOT NULL;

-- name: queues
SELECT name, key FROM sexton.queue;

-- name: register_queues
INSERT INTO sexton.queue (name, key)
SELECT q.name, q.key FROM unnest($1::text[], $2::text[]) AS q (name, key)
ON CONFLICT (name) DO UPDATE SET key = excluded.key WHERE sexton.queue.key <> excluded.key;

-- name: terminate_sessions
-- $1: application names that carry the dead incarnation. Sessions of other roles are left to the server's timeouts.
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name LIKE '%' || $1 || '%' AND datname = current_database() AND usename = current_user
  AND pid <> pg_backend_pid();

-- name: retire
UPDATE sexton.node SET dead_at = sexton.clock(), dead_reason = $2 WHERE incarnation = $1 AND dead_at IS NULL;

-- name: publish_status
INSERT INTO sexton.node_status (incarnation, at, status) VALUES ($1, sexton.clock(), $2::jsonb)
ON CONFLICT (incarnation) DO UPDATE SET at = excluded.at, status = excluded.status;
