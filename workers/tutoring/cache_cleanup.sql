-- name: remove
-- $1: the instant. $2: at most so many.
WITH expired AS MATERIALIZED (
    SELECT ctid, pg_column_size(value) AS bytes FROM cache_entry
    WHERE expires_at <= $1::timestamptz ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM cache_entry WHERE ctid = ANY (ARRAY(SELECT ctid FROM expired)) RETURNING 1
)
SELECT (SELECT count(*) FROM gone) AS removed, coalesce(sum(bytes), 0)::bigint AS bytes_freed FROM expired;
