-- name: lock_messages
SELECT id, suite, recipient, address, channel, template, kind, state, last_error, settled_at
FROM sexton.outbox WHERE id = ANY($1::bigint[])
ORDER BY id
FOR NO KEY UPDATE;

-- name: resend
-- All its tries anew, at once; a time by which it had to be there is no obstacle any more.
UPDATE sexton.outbox
SET state = 'pending', failures = 0, not_before = sexton.clock(), expires_at = NULL, settled_at = NULL, last_error = NULL
WHERE id = ANY($1::bigint[]) AND state NOT IN ('pending', 'sending');

-- name: hold_back
UPDATE sexton.outbox SET state = 'suppressed', settled_at = sexton.clock(), last_error = $2
WHERE id = ANY($1::bigint[]) AND state IN ('pending', 'failed', 'unknown');

-- name: write_no_more
-- Any reason but 'unsubscribed' stops messages of every kind.
INSERT INTO sexton.suppression (suite, recipient, channel, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT (suite, recipient, channel) DO UPDATE SET reason = excluded.reason, address = NULL, at = excluded.at;

-- name: write_again
DELETE FROM sexton.suppression WHERE suite = $1 AND recipient = $2 AND channel = $3
RETURNING reason, address, at;
