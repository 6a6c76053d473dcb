-- name: pauses
-- Of these jobs: since when they are paused, who changed them last, and the run that goes on.
SELECT name, revision, paused_by, paused_at, overrides, running_run, changed_by, changed_at
FROM sexton.job
WHERE name = ANY($1::text[]);
