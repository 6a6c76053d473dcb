-- name: tables
-- $1: a suite. Its tables that number their rows; what migrations bring along mostly has names of its own.
SELECT n.nspname || '.' || c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity <> '')
ORDER BY 1;

-- name: has_rows
SELECT EXISTS (SELECT FROM {table});
