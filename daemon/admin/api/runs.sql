-- name: runs
-- $1..$6: jobs, states, triggers, due from, due before, node; null for all. A span is due until its last instant. $7: ids below. $8: how many.
SELECT r.id, r.job, r.due_at, r.due_until, r.count, r.logical_date, r.trigger, r.state, r.reason, r.attempt, r.failures,
    r.rescues, r.not_before, r.started_at, r.finished_at, r.requested_by, r.waived_by, r.strict, r.note, r.error,
    n.name AS node
FROM sexton.run r LEFT JOIN sexton.node n ON n.incarnation = r.node
WHERE ($1::text[] IS NULL OR r.job = ANY($1)) AND ($2::text[] IS NULL OR r.state = ANY($2))
  AND ($3::text[] IS NULL OR r.trigger = ANY($3))
  AND ($4::timestamptz IS NULL OR coalesce(r.due_until, r.due_at) >= $4) AND ($5::timestamptz IS NULL OR r.due_at < $5)
  AND ($6::text IS NULL OR n.name = $6)
  AND ($7::bigint IS NULL OR r.id < $7)
ORDER BY r.id DESC
LIMIT $8;

-- name: runs_of_jobs
-- The same by due instant, which the index of a job's runs leads to, from the span on that reaches beyond $4: one of the
-- last rows before it. $7, $8: due instant and id of the last one seen.
SELECT r.id, r.job, r.due_at, r.due_until, r.count, r.logical_date, r.trigger, r.state, r.reason, r.attempt, r.failures,
    r.rescues, r.not_before, r.started_at, r.finished_at, r.requested_by, r.waived_by, r.strict, r.note, r.error,
    n.name AS node
FROM sexton.run r LEFT JOIN sexton.node n ON n.incarnation = r.node
WHERE r.job = ANY($1::text[]) AND ($2::text[] IS NULL OR r.state = ANY($2))
  AND ($3::text[] IS NULL OR r.trigger = ANY($3))
  AND ($4::timestamptz IS NULL OR (coalesce(r.due_until, r.due_at) >= $4 AND r.due_at >= coalesce((
        SELECT min(s.due_at) FROM unnest($1) AS n (job)
        CROSS JOIN LATERAL (
            SELECT x.due_at, x.due_until FROM sexton.run x
            WHERE x.job = n.job AND x.due_at < $4 ORDER BY x.due_at DESC LIMIT 5
        ) s
        WHERE s.due_until >= $4
    ), $4)))
  AND ($5::timestamptz IS NULL OR r.due_at < $5)
  AND ($6::text IS NULL OR n.name = $6)
  AND ($7::timestamptz IS NULL OR (r.due_at, r.id) < ($7, $8::bigint))
ORDER BY r.due_at DESC, r.id DESC
LIMIT $9;

-- name: run
SELECT r.id, r.job, r.due_at, r.due_until, r.count, r.logical_date, r.trigger, r.state, r.reason, r.attempt, r.failures,
    r.rescues, r.not_before, r.started_at, r.finished_at, r.requested_by, r.waived_by, r.strict, r.note, r.error,
    n.name AS node, r.priority, r.daily, r.again, r.args, r.cursor, r.result, c.requested_by AS cancel_requested_by,
    s.status -> 'running' AS running
FROM sexton.run r
LEFT JOIN sexton.node n ON n.incarnation = r.node
LEFT JOIN sexton.node_status s ON s.incarnation = r.node
LEFT JOIN sexton.cancel_request c ON c.run = r.id
WHERE r.id = $1;

-- name: attempts
SELECT a.number, a.outcome, n.name AS node, a.started_at, a.finished_at, a.error, a.traceback
FROM sexton.attempt a LEFT JOIN sexton.node n ON n.incarnation = a.node
WHERE a.run = $1
ORDER BY a.number
LIMIT 1000;

-- name: log
-- $2: lines after this one. $3: how many.
SELECT seq, at, level, line FROM sexton.run_log WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: run_there
SELECT job, state FROM sexton.run WHERE id = $1;

-- name: in_the_way
-- What keeps a ready run from starting: the run that its job goes on with, or an earlier one that is not settled.
SELECT e.id, e.due_at, e.state, e.id = j.running_run AS running
FROM sexton.run r
JOIN sexton.job j ON j.name = r.job
JOIN LATERAL (
    SELECT x.id, x.due_at, x.state FROM sexton.run x WHERE x.id = j.running_run AND x.id <> r.id
    UNION ALL
    (SELECT x.id, x.due_at, x.state FROM sexton.run x
     WHERE r.strict AND x.job = r.job AND x.strict AND x.due_at < r.due_at AND x.state <> 'succeeded'
       AND x.waived_by IS NULL
     ORDER BY x.due_at LIMIT 1)
) e ON true
WHERE r.id = $1;
