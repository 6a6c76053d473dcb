-- name: form
-- Of everything but rows: whatever is created, altered, replaced, analysed or granted changes it. Toast tables come
-- and go with theirs; TRUNCATE gives a table another file, so pg_class is told by its words and not by xmin.
SELECT md5(string_agg(line, E'\n' ORDER BY line))
FROM (
    SELECT concat_ws(' ', 'class', oid, relnamespace, relname, relkind, relowner, relpersistence, relchecks,
                     relhasindex, relhastriggers, relrowsecurity, relforcerowsecurity, relispartition, relreplident,
                     reloptions, relacl)
    FROM pg_class WHERE oid >= 16384 AND relkind <> 't' AND relname NOT LIKE 'pg\_toast%'
    UNION ALL SELECT concat_ws(' ', 'attribute', attrelid, attnum, a.xmin)
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE attrelid >= 16384 AND relkind IN ('r', 'p', 'v', 'm')
    UNION ALL SELECT concat_ws(' ', 'default', oid, xmin) FROM pg_attrdef
    UNION ALL SELECT concat_ws(' ', 'index', indexrelid, i.xmin)
    FROM pg_index i JOIN pg_class c ON c.oid = indrelid WHERE indrelid >= 16384 AND relkind <> 't'
    UNION ALL SELECT concat_ws(' ', 'constraint', oid, xmin) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', 'trigger', oid, xmin) FROM pg_trigger
    UNION ALL SELECT concat_ws(' ', 'rule', oid, xmin) FROM pg_rewrite WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', 'function', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', 'type', oid, xmin) FROM pg_type WHERE oid >= 16384 AND typtype <> 'c' AND typelem = 0
    UNION ALL SELECT concat_ws(' ', 'schema', oid, xmin) FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%'
    UNION ALL SELECT concat_ws(' ', 'parent', inhrelid, inhparent) FROM pg_inherits
    UNION ALL SELECT concat_ws(' ', 'policy', oid, xmin) FROM pg_policy
    UNION ALL SELECT concat_ws(' ', 'extension', oid, xmin) FROM pg_extension
    UNION ALL SELECT concat_ws(' ', 'large object', oid, xmin) FROM pg_largeobject_metadata
    UNION ALL SELECT concat_ws(' ', 'statistics', starelid, staattnum) FROM pg_statistic WHERE starelid >= 16384
    UNION ALL SELECT concat_ws(' ', 'setting', setconfig) FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL SELECT concat_ws(' ', 'database', datdba, datallowconn, datconnlimit, datacl) FROM pg_database
    WHERE datname = current_database()
) AS everything (line)

-- name: schemas
-- As text[]: of name[] a new connection would first have to ask what it is, which costs more than all of this.
SELECT array_agg(nspname::text) FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'

-- name: guests
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'

-- name: full
-- Tables that migrations have put rows in.
SELECT relnamespace::regnamespace::text, relname
FROM pg_class WHERE oid >= 16384 AND relkind = 'r' AND pg_relation_size(oid) > 0 AND relname NOT LIKE 'pg\_toast%'

-- name: touched
-- What anybody has written to since the counters began anew, and when they did: a server that crashed has lost them.
-- A backend has added up its own when it is no guest any more. `changed`: more than rows of a few small tables.
SELECT stats_reset AS since,
       coalesce(bool_or(c.oid < 16384 OR pg_relation_size(c.oid) > 65536), FALSE) AS changed,
       coalesce(array_agg(relnamespace::regnamespace::text || '.' || relname::text) FILTER (WHERE c.oid IS NOT NULL),
                '{}') AS tables,
       (SELECT concat_ws(' ', datdba, datallowconn, datconnlimit, datacl, setconfig) FROM pg_database b
        LEFT JOIN pg_db_role_setting ON setdatabase = b.oid WHERE b.datname = current_database()) AS shared
FROM pg_stat_database d LEFT JOIN pg_class c ON relkind = 'r' AND NOT relisshared
    AND pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid) > 0
WHERE d.datname = current_database()
GROUP BY stats_reset

-- name: add_up
SELECT pg_stat_force_next_flush()

-- name: count_anew
SELECT pg_stat_reset()

-- name: clear
-- A table is emptied if it has a file to speak of; above 64 kB by another file, which costs less than the dead rows
-- would cost the tests that follow. No trigger of ours fires, and no foreign key asks for an order.
DO $$
DECLARE
    touched record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR touched IN
        SELECT oid::regclass AS name, pg_relation_size(oid) AS bytes
        FROM pg_class WHERE oid >= 16384 AND relkind = 'r' AND pg_relation_size(oid) > 0
    LOOP
        IF touched.bytes > 65536 THEN
            EXECUTE format('TRUNCATE %s CASCADE', touched.name);
        ELSE
            EXECUTE format('DELETE FROM %s', touched.name);
        END IF;
    END LOOP;
END
$$

-- name: sequences
SELECT json_agg(json_build_object('name', format('%I.%I', schemaname, sequencename),
                                  'at', coalesce(last_value, start_value), 'used', last_value IS NOT NULL))::text
FROM pg_sequences

-- name: set_sequences
SELECT count(setval(name::regclass, at, used))
FROM json_to_recordset($1::json) AS s (name text, at bigint, used boolean)
JOIN pg_sequences ON name = format('%I.%I', schemaname, sequencename)
WHERE last_value IS DISTINCT FROM CASE WHEN used THEN at END
