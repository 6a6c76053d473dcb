-- Of a suite's own relations, which are filled in when they are asked: see daemon/sql.py.

-- name: double
-- A key that does not name one row, or is null.
SELECT coalesce({key}::text, 'null') FROM {table} GROUP BY {key} HAVING count(*) > 1 OR {key} IS NULL LIMIT 1;

-- name: strangers
-- $1: the words that are known.
SELECT array_agg(word ORDER BY word) FROM (
    SELECT DISTINCT {column}::text AS word FROM {table} WHERE {column}::text <> ALL ($1::text[]) LIMIT 5) strange;
