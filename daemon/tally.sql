-- name: add
INSERT INTO run_tally AS t (run_id, step, rows) VALUES ($1, $2, $3)
ON CONFLICT (run_id, step) DO UPDATE SET rows = t.rows + excluded.rows;

-- name: take
-- With what runs left that are over and never asked for it.
WITH taken AS (
    DELETE FROM run_tally t
    WHERE t.run_id = $1
        OR NOT EXISTS (SELECT FROM sexton.run r WHERE r.id = t.run_id AND r.state IN ('ready', 'running', 'failed'))
    RETURNING run_id, step, rows
)
SELECT step, rows FROM taken WHERE run_id = $1;
