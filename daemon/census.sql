-- What the tables hold, for the metrics. Read in one read-only transaction, when somebody scrapes.

-- name: teller
-- Which node tells of the tables: of those that live and serve metrics the oldest, so that a sum over all nodes
-- counts every row once.
SELECT n.incarnation
FROM sexton.node n JOIN sexton.node_status s ON s.incarnation = n.incarnation
WHERE n.dead_at IS NULL AND n.lease_until > sexton.clock() AND s.status @> '{"metrics": true}'
ORDER BY n.started_at, n.incarnation LIMIT 1;

-- name: jobs
-- $1, $2: jobs, and the due instant of the last success that is known of each: only newer rows are looked at. For a
-- job that never succeeded, since when one could have expected it to.
SELECT j.name, j.paused_by IS NOT NULL AS paused, j.changed_at, r.due_at, r.finished_at, f.due_at AS first_due_at
FROM unnest($1::text[], $2::timestamptz[]) AS k (name, since)
JOIN sexton.job j ON j.name = k.name
LEFT JOIN LATERAL (
    SELECT x.due_at, x.finished_at FROM sexton.run x
    WHERE x.job = k.name AND x.state = 'succeeded' AND x.due_at > coalesce(k.since, '-infinity')
    ORDER BY x.due_at DESC LIMIT 1
) r ON true
LEFT JOIN LATERAL (
    SELECT x.due_at FROM sexton.run x WHERE k.since IS NULL AND x.job = k.name ORDER BY x.due_at LIMIT 1
) f ON true;

-- name: runs
-- Due instants that are not over, by job and state, and how long the oldest has been so: since it could have begun,
-- since it was due, or since it began. A failed one counts while it holds up later instants of its job.
SELECT job, state, sum(count)::float8 AS instants,
    greatest(extract(epoch FROM sexton.clock() - min(since)), 0)::float8 AS oldest_age_s
FROM (
    SELECT job, state, count, not_before AS since FROM sexton.run WHERE state = 'ready'
    UNION ALL
    SELECT job, state, count, due_at FROM sexton.run WHERE state = 'waiting'
    UNION ALL
    SELECT job, state, count, due_at FROM sexton.run WHERE state = 'held'
    UNION ALL
    SELECT job, state, count, started_at FROM sexton.run WHERE state = 'running'
    UNION ALL
    SELECT job, state, count, due_at FROM sexton.run
    WHERE strict AND state <> 'succeeded' AND waived_by IS NULL AND state = 'failed'
) r
GROUP BY job, state;

-- name: nodes
-- Daemons, not the nodes of commands. Gone: its lease ran out within a day, and neither its place nor its name is
-- back.
SELECT count(*) FILTER (WHERE n.dead_at IS NULL AND n.lease_until > sexton.clock()) AS alive,
    count(*) FILTER (
        WHERE n.dead_reason = 'lease expired' AND n.dead_at > sexton.clock() - interval '1 day'
          AND NOT EXISTS (
            SELECT FROM sexton.node b
            WHERE b.dead_at IS NULL AND b.started_at > n.started_at
              AND (b.home = n.home OR (b.name = n.name AND b.started_at > n.lease_until)))) AS gone
FROM sexton.node n
WHERE n.home NOT LIKE '%/command-%';

-- name: events
SELECT count(*) AS waiting, coalesce(extract(epoch FROM sexton.clock() - min(at)), 0)::float8 AS oldest_age_s
FROM sexton.event WHERE dispatched_at IS NULL;

-- name: actions
-- Audit rows stay for ever, so this only grows.
SELECT action, count(*) AS actions FROM sexton.audit GROUP BY action;
