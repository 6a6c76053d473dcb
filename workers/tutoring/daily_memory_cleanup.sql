-- $1, $2 everywhere: what was created before $1 goes, and what expired by $2.

-- name: cutoff
-- $1: the instant. $2: months of the calendar, in the session's zone; a day that a month lacks is its last.
SELECT $1::timestamptz - make_interval(months => $2::int);

-- name: measure
-- Logical bytes are what rows take as stored. Physical ones are the table's files with its indexes.
SELECT count(*) AS found, coalesce(sum(memory_bytes(m)), 0)::bigint AS found_bytes,
    pg_total_relation_size('study_chat_memory') AS physical_bytes_before
FROM study_chat_memory m
WHERE created_at < $1::timestamptz OR expires_at <= $2::timestamptz;

-- name: stops
-- $3: after this id. $4: so many rows at once. The last id of each batch of what is left.
SELECT coalesce(array_agg(id ORDER BY id), '{}') AS stops
FROM (SELECT id, row_number() OVER (ORDER BY id) AS nth, lead(id) OVER (ORDER BY id) AS next
      FROM study_chat_memory
      WHERE id > $3::bigint AND (created_at < $1::timestamptz OR expires_at <= $2::timestamptz)) m
WHERE nth % $4::int = 0 OR next IS NULL;

-- name: remove
-- $3, $4: ids above, up to and including. A row that somebody holds is left for the next night.
WITH old AS MATERIALIZED (
    SELECT ctid, memory_bytes(m) AS bytes FROM study_chat_memory m
    WHERE id > $3::bigint AND id <= $4::bigint AND (created_at < $1::timestamptz OR expires_at <= $2::timestamptz)
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM study_chat_memory WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1
)
SELECT (SELECT count(*) FROM gone) AS rows, coalesce(sum(bytes), 0)::bigint AS bytes FROM old;

-- name: what_is_left
SELECT (SELECT count(*) FROM study_chat_memory WHERE created_at < $1::timestamptz OR expires_at <= $2::timestamptz)
        AS left_behind,
    pg_total_relation_size('study_chat_memory') AS physical_bytes;
