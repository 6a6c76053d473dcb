-- name: keep_events
-- $1: ids, $2: types, $3: bodies, $4: secrets by number. An event that came before, or twice now, is kept once.
WITH kept AS (
    INSERT INTO webhook_event (event_id, type, body, secret_no)
    SELECT DISTINCT ON (event_id) event_id, type, body, secret_no
    FROM unnest($1::text[], $2::text[], $3::bytea[], $4::smallint[]) AS came (event_id, type, body, secret_no)
    ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_no
)
INSERT INTO webhook_queue (event_no) SELECT event_no FROM kept;
