-- name: look_at
SELECT set_config('search_path', $1, true);
