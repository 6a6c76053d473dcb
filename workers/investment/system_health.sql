-- name: ping
SELECT 1;

-- name: backlog
-- $1: seen since. $2: pending since before.
SELECT
    (SELECT count(DISTINCT user_id) FROM session WHERE last_seen_at >= $1::timestamptz) AS active_users,
    (SELECT count(*) FROM ledger WHERE status = 'PENDING') AS pending,
    (SELECT count(*) FROM ledger WHERE status = 'PENDING' AND created_at < $2::timestamptz) AS pending_old;

-- name: troubles
SELECT name, severity, since FROM health_trouble;

-- name: keep_check
INSERT INTO health_check (checked_at, severity, checks) VALUES ($1, $2, $3::jsonb)
ON CONFLICT (checked_at) DO UPDATE SET severity = excluded.severity, checks = excluded.checks;

-- name: keep_trouble
INSERT INTO health_trouble (name, severity, since) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET severity = excluded.severity;

-- name: forget_trouble
DELETE FROM health_trouble WHERE name = $1;
