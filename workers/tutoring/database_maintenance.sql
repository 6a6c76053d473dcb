-- name: be_brief
-- Nobody waits behind us for longer than this: a table that is in use is left for the next time.
SELECT set_config('lock_timeout', $1::text, false);

-- name: backup_under_way
-- A dump holds its locks to its end. Ours are named so, and so is everybody else's pg_dump.
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND (application_name LIKE 'sexton backup%' OR application_name LIKE 'pg_dump%')
      AND pid <> pg_backend_pid());

-- name: tables
-- The tables of this suite's schema, partitions one by one, and what is done to each: the server quotes the names.
SELECT c.oid::int8 AS id, c.relname AS name, format('VACUUM (ANALYZE) %I.%I', n.nspname, c.relname) AS vacuum,
    format('REINDEX TABLE CONCURRENTLY %I.%I', n.nspname, c.relname) AS reindex
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'tutoring' AND c.relkind = 'r'
ORDER BY c.relname;

-- name: measure
-- $1: the table. Bloat is an estimate from the planner's statistics: the file, less what its rows should take; null
-- while there are none.
SELECT pg_table_size(c.oid) AS table_bytes, pg_indexes_size(c.oid) AS index_bytes,
    coalesce(s.n_dead_tup, 0) AS dead_rows,
    CASE WHEN c.reltuples >= 0 THEN greatest(0, pg_relation_size(c.oid)
        - 8192 * ceil(c.reltuples * (28 + w.width) / 8144))::int8 END AS bloat_bytes
FROM pg_class c
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
CROSS JOIN LATERAL (
    SELECT coalesce(sum((1 - t.null_frac) * t.avg_width), 0) AS width
    FROM pg_stats t JOIN pg_namespace n ON n.nspname = t.schemaname
    WHERE n.oid = c.relnamespace AND t.tablename = c.relname
) w
WHERE c.oid = $1::int8::oid;

-- name: leftovers
-- Indexes that a REINDEX CONCURRENTLY began and gave up, those of TOAST tables too. No reader uses them, and every
-- writer keeps them up.
SELECT i.relname AS name, format('DROP INDEX CONCURRENTLY IF EXISTS %I.%I', n.nspname, i.relname) AS remove
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = i.relnamespace
JOIN pg_class t ON t.relkind = 'r' AND x.indrelid IN (t.oid, t.reltoastrelid)
JOIN pg_namespace ours ON ours.oid = t.relnamespace AND ours.nspname = 'tutoring'
WHERE NOT x.indisvalid AND i.relname ~ '_cc(new|old)[0-9]*$'
ORDER BY i.relname;
