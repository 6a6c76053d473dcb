-- name: look_at
-- From here on, on this connection: $1, the schema of the suite whose statements come next. Keys are looked up by index
-- whatever the tables were when a plan was made.
SELECT set_config('search_path', $1, false), set_config('enable_seqscan', 'off', false);
