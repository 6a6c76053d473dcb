-- name: schema_there
SELECT to_regclass('sexton.node_status') IS NOT NULL;

-- name: live_nodes
-- Daemons only: a command that performs one run takes nobody else's. See run_here.py.
SELECT count(*) FROM sexton.node
WHERE dead_at IS NULL AND lease_until > sexton.clock() AND home NOT LIKE '%/command-%';
