-- name: leave
INSERT INTO trial.effect (job, due_at, step, run) VALUES ($1, $2, $3, $4);

-- name: done
INSERT INTO trial.done (key) SELECT unnest($1::bigint[]);
