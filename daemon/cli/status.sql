-- name: server
SELECT current_setting('server_version') AS version, sexton.clock() AS now;

-- name: nodes
-- Daemons that live or should, and those that died in the last day without having been stopped. Nodes of commands,
-- which perform one run, are left out.
SELECT n.name, n.incarnation, n.dead_at IS NULL AND n.lease_until > sexton.clock() AS alive,
    extract(epoch FROM least(n.dead_at, greatest(n.lease_until, n.started_at), sexton.clock()) - n.started_at)::float8
        AS uptime_s,
    s.status
FROM sexton.node n LEFT JOIN sexton.node_status s ON s.incarnation = n.incarnation
WHERE n.home NOT LIKE '%/command-%'
  AND (n.dead_at IS NULL OR (n.dead_at > sexton.clock() - interval '1 day' AND n.dead_reason <> 'stopped'))
ORDER BY alive DESC, n.name, n.started_at DESC
LIMIT 50;
