-- Everywhere: $1: before this. $2: at most so many rows. Each answers with how many went.

-- name: sessions
-- Moved, in one statement, however they ended; what an archive row of the same id would hide stays.
WITH moved AS (
    DELETE FROM timer_session WHERE ctid = ANY (ARRAY(
        SELECT t.ctid FROM timer_session t
        WHERE t.started_at < $1::timestamptz AND NOT EXISTS (SELECT FROM timer_session_archive a WHERE a.id = t.id)
        ORDER BY t.started_at LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING *
), kept AS (
    INSERT INTO timer_session_archive (id, user_id, goal_id, started_at, ended_at, kind, feature)
    SELECT id, user_id, goal_id, started_at, ended_at, kind, feature FROM moved
    RETURNING 1
)
SELECT count(*) AS gone FROM kept;

-- name: rows
-- Of any table that is only looked up, by its column of days or instants.
WITH gone AS (
    DELETE FROM {table} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {table} WHERE {column} < $1::timestamptz LIMIT $2))
    RETURNING 1
)
SELECT count(*) AS gone FROM gone;

-- name: behavior
-- $3: superseded before this. The newest of everybody stays as long as figures do.
WITH gone AS (
    DELETE FROM behavior WHERE ctid = ANY (ARRAY(
        SELECT b.ctid FROM behavior b
        WHERE b.window_end < $1::timestamptz OR (b.window_end < $3::timestamptz
            AND EXISTS (SELECT FROM behavior n WHERE n.user_id = b.user_id AND n.window_end > b.window_end))
        LIMIT $2))
    RETURNING 1
)
SELECT count(*) AS gone FROM gone;
