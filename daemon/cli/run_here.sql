-- name: claim_run
-- $1: the run. $2: this node. $3: whether its job may run several times at once. This run and no other: what else is
-- ready waits for a daemon. No row: not ready (any more), or its job is busy at the moment.
WITH wanted AS (
    SELECT id, job FROM sexton.run
    WHERE id = $1 AND state = 'ready' AND not_before <= sexton.clock()
    FOR UPDATE SKIP LOCKED
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
