-- name: claim_run
-- $1: the run. $2: this node. $3: whether its job may run several times at once. This run and no other: what else is
-- ready waits for a daemon. No row: not ready (any more), its job is busy at the moment, or an earlier instant of a
-- strict order is not settled.
WITH wanted AS (
    SELECT r.id, r.job FROM sexton.run r
    WHERE r.id = $1 AND r.state = 'ready' AND r.not_before <= sexton.clock()
      AND NOT (r.strict AND EXISTS (
            SELECT FROM sexton.run e
            WHERE e.job = r.job AND e.strict AND e.due_at < r.due_at
              AND e.state <> 'succeeded' AND e.waived_by IS NULL))
    FOR UPDATE OF r SKIP LOCKED
), holder AS (
    SELECT j.name FROM sexton.job j JOIN wanted w ON w.job = j.name
    WHERE $3 OR j.running_run IS NULL OR j.running_run = w.id
    FOR NO KEY UPDATE OF j
), updated AS (
    UPDATE sexton.run r
    SET state = 'running', reason = NULL, token = nextval('sexton.token'), node = $2, attempt = r.attempt + 1,
        started_at = sexton.clock(), finished_at = NULL
    FROM wanted w, holder h
    WHERE r.id = w.id AND h.name = w.job
    RETURNING r.id, r.job, r.due_at, r.due_until, r.count, r.logical_date, r.trigger, r.state, r.token, r.attempt,
        r.failures, r.rescues, r.args, r.cursor, r.started_at
), taken AS (
    UPDATE sexton.job j SET running_run = u.id FROM updated u WHERE j.name = u.job AND NOT $3
)
SELECT * FROM updated;
