-- name: issue
WITH moment AS MATERIALIZED (SELECT sexton.clock() AS now)
INSERT INTO sexton.access_token (name, role, parent, issued_by, issued_at, expires_at)
SELECT $1, $2, $3::uuid, $4, now, least(now + $5::interval, $6::timestamptz) FROM moment
RETURNING id, issued_at, expires_at;

-- name: in_force
-- The token of this id if nothing stands against it; a session falls with the token it was opened with.
SELECT t.name, t.role, t.parent, t.expires_at,
    t.last_used_at IS NULL OR t.last_used_at < sexton.clock() - interval '5 minutes' AS worth_noting
FROM sexton.access_token t LEFT JOIN sexton.access_token p ON p.id = t.parent
WHERE t.id = $1 AND t.revoked_at IS NULL AND t.expires_at > sexton.clock()
  AND (t.parent IS NULL OR (p.revoked_at IS NULL AND p.expires_at > sexton.clock()));

-- name: note_use
-- Of a session: the token it was opened with is in use, too.
UPDATE sexton.access_token SET last_used_at = sexton.clock()
WHERE id = $1 OR id = (SELECT parent FROM sexton.access_token WHERE id = $1);

-- name: listed
-- $1: the expired and revoked ones too.
SELECT id, name, role, issued_by, issued_at, expires_at, last_used_at, revoked_by, revoked_at,
    revoked_at IS NULL AND expires_at > sexton.clock() AS valid
FROM sexton.access_token
WHERE parent IS NULL AND ($1 OR (revoked_at IS NULL AND expires_at > sexton.clock()))
ORDER BY issued_at DESC, id
LIMIT 1000;

-- name: revocable
SELECT id, name, role FROM sexton.access_token
WHERE parent IS NULL AND revoked_at IS NULL AND expires_at > sexton.clock()
  AND (name = $1 OR id::text = lower($1))
ORDER BY issued_at
FOR NO KEY UPDATE;

-- name: revoke
UPDATE sexton.access_token SET revoked_by = $2, revoked_at = sexton.clock()
WHERE id = ANY($1::uuid[]) OR parent = ANY($1::uuid[]);

-- name: close_session
UPDATE sexton.access_token SET revoked_by = name, revoked_at = sexton.clock()
WHERE id = $1 AND parent IS NOT NULL AND revoked_at IS NULL
RETURNING id;
