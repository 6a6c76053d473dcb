-- name: audit
-- $1..$3: who, action, target; null for all. $4, $5: from, before. $6: ids below. $7: how many.
SELECT id, at, who, origin, action, target, reason, before, after
FROM sexton.audit
WHERE ($1::text IS NULL OR who = $1) AND ($2::text IS NULL OR action = $2) AND ($3::text IS NULL OR target = $3)
  AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at < $5)
  AND ($6::bigint IS NULL OR id < $6)
ORDER BY id DESC
LIMIT $7;
