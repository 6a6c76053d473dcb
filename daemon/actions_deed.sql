-- name: audit
-- $1..$4: who, origin, action, reason. $5..$7: one row a target, with what it was and what it became.
INSERT INTO sexton.audit (who, origin, action, reason, target, before, after)
SELECT $1, $2, $3, $4, a.target, a.before, a.after
FROM unnest($5::text[], $6::jsonb[], $7::jsonb[]) AS a (target, before, after);
