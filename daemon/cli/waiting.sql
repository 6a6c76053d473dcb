-- name: outcome
-- `before`: the run that must be settled first, because instants of its job go in strict order, or because it holds
-- the job (a run that waits for its next try still does).
SELECT r.id, r.job, r.state, r.reason, r.error, r.result, r.attempt, r.failures, r.not_before,
    extract(epoch FROM r.finished_at - r.started_at)::float8 AS duration_s, b.id AS before, b.state AS before_state
FROM sexton.run r
LEFT JOIN sexton.run b ON b.id = coalesce(
    (SELECT e.id FROM sexton.run e
     WHERE r.strict AND e.job = r.job AND e.strict AND e.due_at < r.due_at
       AND e.state <> 'succeeded' AND e.waived_by IS NULL
     ORDER BY e.due_at LIMIT 1),
    (SELECT j.running_run FROM sexton.job j WHERE j.name = r.job AND j.running_run <> r.id))
WHERE r.id = $1;
