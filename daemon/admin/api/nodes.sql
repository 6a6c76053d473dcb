-- name: nodes
-- Daemons that live or should, and those that died in the last day. Nodes of commands, which perform one run, are
-- left out.
SELECT n.incarnation, n.name, n.version, n.started_at, n.lease_until, n.dead_at, n.dead_reason,
    n.dead_at IS NULL AND n.lease_until > sexton.clock() AS alive, s.at AS status_at, s.status
FROM sexton.node n LEFT JOIN sexton.node_status s ON s.incarnation = n.incarnation
WHERE n.home NOT LIKE '%/command-%' AND (n.dead_at IS NULL OR n.dead_at > sexton.clock() - interval '1 day')
ORDER BY alive DESC, n.name, n.started_at DESC
LIMIT 200;
