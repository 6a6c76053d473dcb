-- name: messages
-- $1..$6: states, channels, suite, kind, template, whose (a recipient, an address or a key); null for all. $7, $8: made
-- from, made before. $9: ids below. $10: how many.
SELECT id, suite, recipient, address, channel, template, kind, dedupe_key, state, not_before, expires_at, attempts, failures,
    last_error, provider_id, run, created_at, settled_at
FROM sexton.outbox
WHERE ($1::text[] IS NULL OR state = ANY($1)) AND ($2::text[] IS NULL OR channel = ANY($2))
  AND ($3::text IS NULL OR suite = $3) AND ($4::text IS NULL OR kind = $4) AND ($5::text IS NULL OR template = $5)
  AND ($6::text IS NULL OR recipient = $6 OR lower(address) = lower($6) OR dedupe_key = $6)
  AND ($7::timestamptz IS NULL OR created_at >= $7) AND ($8::timestamptz IS NULL OR created_at < $8)
  AND ($9::bigint IS NULL OR id < $9)
ORDER BY id DESC
LIMIT $10;

-- name: message
SELECT id, suite, recipient, address, channel, template, kind, dedupe_key, state, not_before, expires_at, attempts, failures,
    last_error, provider_id, run, created_at, settled_at, data
FROM sexton.outbox WHERE id = $1;

-- name: suppressions
-- $1: whose, null for all. $2..$4: the key of the last one seen. $5: how many.
SELECT suite, recipient, channel, reason, address, at
FROM sexton.suppression
WHERE ($1::text IS NULL OR recipient = $1) AND ($2::text IS NULL OR (suite, recipient, channel) > ($2, $3, $4))
ORDER BY suite, recipient, channel
LIMIT $5;
