-- name: delete_expired
-- $1: now. $2: where the last batch ended. $3: at most so many. By key and not by ctid, which a view does not have.
WITH gone AS (
    DELETE FROM inventory_lock WHERE id = ANY (ARRAY(
        SELECT id FROM inventory_lock WHERE expires_at < $1::timestamptz AND expires_at >= $2::timestamptz
        ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED))
    RETURNING expires_at
)
SELECT count(*) AS deleted, max(expires_at) AS last FROM gone;
