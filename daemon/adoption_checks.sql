-- name: relation
-- $1: schema.name. Bits as pg_relation_is_updatable and pg_trigger.tgtype have them; a trigger of a view is INSTEAD OF.
SELECT c.oid, c.relowner AS owner,
    pg_relation_is_updatable(c.oid, false) & 8 <> 0 AS can_insert,
    pg_relation_is_updatable(c.oid, false) & 4 <> 0 AS can_update,
    pg_relation_is_updatable(c.oid, false) & 16 <> 0 AS can_delete,
    coalesce(bool_or(p.prosecdef), false) AS by_definer,
    coalesce(bool_or(t.tgtype & 68 = 68), false) AS instead_of_insert,
    coalesce(bool_or(t.tgtype & 80 = 80), false) AS instead_of_update,
    coalesce(bool_or(t.tgtype & 72 = 72), false) AS instead_of_delete
FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D'
LEFT JOIN pg_proc p ON p.oid = t.tgfoid
WHERE c.oid = to_regclass($1::text) AND c.relkind IN ('r', 'p', 'v', 'f')
GROUP BY c.oid, c.relowner;

-- name: columns
-- A domain is what it is made of. `updatable` as a view has it by itself.
SELECT a.attname::text AS name, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL) AS type,
    pg_column_is_updatable(a.attrelid, a.attnum, false) AS updatable
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped;

-- name: bases
-- What a view reads. $2: its owner, who has to see each column of it: `unreadable` are those that are hidden. Only one
-- base: what is written to the view may be written there.
SELECT u.oid, u.oid::regclass::text AS name, pg_get_userbyid($2::oid)::text AS owner, count(*) OVER () = 1 AS only,
    array_agg(quote_ident(a.attname) ORDER BY a.attnum) FILTER (
        WHERE NOT has_column_privilege($2::oid, u.oid, a.attnum, 'SELECT')) AS unreadable
FROM (
    SELECT DISTINCT d.refobjid AS oid, d.refobjsubid AS attnum FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    WHERE r.ev_class = $1::oid AND d.refobjid <> r.ev_class) u
LEFT JOIN pg_attribute a ON a.attrelid = u.oid AND a.attnum = u.attnum AND a.attnum > 0
GROUP BY u.oid;

-- name: privileges
-- $1: a relation. $2: privileges. $3: whose, null: ours. Those that are lacking; for one of some columns any will do.
SELECT p.privilege, pg_get_userbyid(w.role)::text AS role
FROM unnest($2::text[]) AS p (privilege)
CROSS JOIN (SELECT coalesce($3::oid, (SELECT oid FROM pg_roles WHERE rolname = current_user)) AS role) w
WHERE NOT (CASE WHEN p.privilege = 'DELETE' THEN has_table_privilege(w.role, $1::oid, 'DELETE')
    ELSE has_any_column_privilege(w.role, $1::oid, p.privilege) END);

-- name: triggers
-- $1: schema.function. On which events tables call it.
SELECT coalesce(bool_or(t.tgtype & 4 <> 0), false) AS insert, coalesce(bool_or(t.tgtype & 16 <> 0), false) AS update,
    coalesce(bool_or(t.tgtype & 8 <> 0), false) AS delete
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE t.tgfoid = to_regproc($1::text)::oid AND t.tgenabled <> 'D' AND c.relkind IN ('r', 'p');
