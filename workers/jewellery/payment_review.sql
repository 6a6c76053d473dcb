-- name: asked_by
-- $1: the run.
SELECT requested_by, note FROM sexton.run WHERE id = $1;
