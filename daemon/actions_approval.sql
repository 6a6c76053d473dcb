-- name: ask
INSERT INTO sexton.approval (action, job, payload, asked_by, origin, reason)
VALUES ($1, $2, $3::jsonb, $4, $5, $6)
RETURNING id, expires_at;

-- name: lock_approval
SELECT id, action, job, payload, asked_by, origin, reason, decision, decided_by, expires_at <= sexton.clock() AS expired
FROM sexton.approval WHERE id = $1
FOR UPDATE;

-- name: decide
UPDATE sexton.approval SET decision = $2, decided_by = $3, decided_at = sexton.clock() WHERE id = $1;

-- name: listed
-- $1: only those that wait for somebody. $2: ids below, null for all. $3: how many.
SELECT id, action, job, payload, asked_by, origin, reason, asked_at, expires_at, decision, decided_by, decided_at,
    decision IS NULL AND expires_at > sexton.clock() AS pending
FROM sexton.approval
WHERE (NOT $1 OR (decision IS NULL AND expires_at > sexton.clock())) AND ($2::bigint IS NULL OR id < $2)
ORDER BY id DESC
LIMIT $3;

-- name: count_pending
SELECT count(*) FROM sexton.approval WHERE decision IS NULL AND expires_at > sexton.clock();
