-- name: delete_read
-- $1: created before. $2: where the last batch ended. $3: at most so many.
WITH gone AS (
    DELETE FROM notification WHERE id = ANY (ARRAY(
        SELECT id FROM notification
        WHERE is_read AND created_at < $1::timestamptz AND created_at >= $2::timestamptz
        ORDER BY created_at LIMIT $3 FOR UPDATE SKIP LOCKED))
    RETURNING created_at
)
SELECT count(*) AS deleted, max(created_at) AS last FROM gone;
