-- name: in_force
SELECT stopped_by, stopped_at, reason FROM sexton.emergency_stop;
