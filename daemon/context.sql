-- name: was_held
-- A try that ended so is only followed by another when a person has released the run.
SELECT number FROM sexton.attempt WHERE run = $1 AND outcome = 'held' LIMIT 1;

-- name: grants
-- What each release allows, the latest last.
SELECT grants FROM sexton.attempt WHERE run = $1 AND outcome = 'held' AND grants IS NOT NULL ORDER BY number;
