-- name: lock_job
SELECT name, paused_by, paused_at, overrides, revision, changed_by FROM sexton.job WHERE name = $1 FOR NO KEY UPDATE;

-- name: override_job
UPDATE sexton.job
SET overrides = $3::jsonb, revision = revision + 1, changed_by = $2, changed_at = sexton.clock()
WHERE name = $1;
