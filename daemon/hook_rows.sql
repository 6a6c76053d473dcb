-- name: look_at
-- For this transaction: the schema of the suite, whose statement comes next.
SELECT set_config('search_path', $1, true);
