-- One view of the whole database that several sessions share: what pg_dump writes, and what its figures are of.

-- name: session
-- Rows become text in one and the same way, whoever asks. Row security is an error instead of a silent omission.
SELECT set_config('row_security', 'off', false), set_config('search_path', 'pg_catalog', false),
    set_config('timezone', 'UTC', false), set_config('datestyle', 'ISO, YMD', false),
    set_config('intervalstyle', 'postgres', false), set_config('bytea_output', 'hex', false),
    set_config('extra_float_digits', '1', false), set_config('statement_timeout', '0', false),
    set_config('idle_in_transaction_session_timeout', '0', false);

-- name: export
-- `share` is the statement by which another session takes part; it cannot have parameters.
SELECT s AS id, format('SET TRANSACTION SNAPSHOT %L', s) AS share, clock_timestamp() AS at,
    current_database() AS database, current_setting('server_version') AS version,
    current_setting('server_version_num')::int / 10000 AS major
FROM pg_export_snapshot() s;

-- name: migrations
SELECT suite, max(version) AS version FROM sexton.migration GROUP BY suite ORDER BY suite;

-- name: tables
-- Every table whose rows a dump holds, the biggest first, and the statement that counts and sums them: names are
-- quoted by the server. Extensions bring their own rows, and other servers' tables are not dumped.
SELECT format('%I.%I', n.nspname, c.relname) AS name,
    format('SELECT count(*) AS rows, coalesce(sum((''x'' || left(md5((t.*)::text), 16))::bit(64)::bigint), 0)::text AS '
        'checksum FROM ONLY %I.%I AS t', n.nspname, c.relname) AS query
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relpages DESC, name;

-- name: large_objects
-- $1: bytes read at once. Their content as readers see it: what was never written within one counts as zeros, because a
-- dump writes it as such.
WITH RECURSIVE part AS (
    SELECT m.oid, 0::bigint AS at, octet_length(c.content) AS bytes, md5(c.content) AS sum
    FROM pg_largeobject_metadata m, LATERAL (SELECT lo_get(m.oid, 0, $1::int) AS content OFFSET 0) c
    UNION ALL
    SELECT p.oid, p.at + p.bytes, octet_length(c.content), md5(c.content)
    FROM part p, LATERAL (SELECT lo_get(p.oid, p.at + p.bytes, $1::int) AS content OFFSET 0) c
    WHERE p.bytes = $1::int
)
SELECT count(*) FILTER (WHERE at = 0) AS objects,
    coalesce(sum(('x' || left(md5(concat_ws(':', oid, at, sum)), 16))::bit(64)::bigint), 0)::text AS checksum
FROM part;

-- name: objects
-- How many there are of each kind. An index that is not valid is not dumped.
WITH ours AS (
    SELECT n.oid FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), members AS (
    SELECT d.classid, d.objid FROM pg_depend d WHERE d.deptype = 'e'
), counted AS (
    SELECT CASE c.relkind WHEN 'r' THEN 'tables' WHEN 'p' THEN 'partitioned tables' WHEN 'v' THEN 'views'
            WHEN 'm' THEN 'materialised views' WHEN 'S' THEN 'sequences' END AS kind
    FROM pg_class c
    WHERE c.relnamespace IN (SELECT oid FROM ours) AND c.relpersistence <> 't' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM members)
    UNION ALL
    SELECT 'indexes' FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace IN (SELECT oid FROM ours) AND i.indisvalid AND c.relpersistence <> 't'
        AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM members)
    UNION ALL
    SELECT 'triggers' FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
    WHERE c.relnamespace IN (SELECT oid FROM ours) AND NOT g.tgisinternal
    UNION ALL
    SELECT 'functions' FROM pg_proc p
    WHERE p.pronamespace IN (SELECT oid FROM ours)
        AND ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM members)
    UNION ALL
    SELECT 'constraints' FROM pg_constraint x
    WHERE x.connamespace IN (SELECT oid FROM ours) AND x.contype IN ('c', 'f', 'p', 'u', 'x') AND x.convalidated
)
SELECT kind, count(*)::int AS objects FROM counted GROUP BY kind ORDER BY kind;
