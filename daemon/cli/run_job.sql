-- name: schema_there
SELECT to_regclass('sexton.node_status') IS NOT NULL;

-- name: live_nodes
-- $1: a suite, or NULL for any. Daemons only: a command that performs one run takes nobody else's. See run_here.py.
-- A node that has not said yet which suites it has may have this one.
SELECT count(*) FROM sexton.node n LEFT JOIN sexton.node_status s ON s.incarnation = n.incarnation
WHERE n.dead_at IS NULL AND n.lease_until > sexton.clock() AND n.home NOT LIKE '%/command-%'
  AND ($1::text IS NULL OR coalesce(s.status->'suites' ? $1, true));
