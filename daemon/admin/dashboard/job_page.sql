-- name: recent
SELECT id, due_at, state, reason, error, extract(epoch FROM finished_at - started_at)::float8 AS seconds
FROM sexton.run WHERE job = $1 ORDER BY due_at DESC, id DESC LIMIT $2;

-- name: calendar
-- $2: the job's zone. $3: the first local day. A span of missed instants counts for the day that it begins on.
SELECT (due_at AT TIME ZONE $2)::date AS day, state, sum(count)::int AS instants,
    (array_agg(DISTINCT left(split_part(coalesce(reason, error), E'\n', 1), 200))
        FILTER (WHERE coalesce(reason, error) IS NOT NULL))[1:3] AS reasons
FROM sexton.run
WHERE job = $1 AND due_at >= ($3::date)::timestamp AT TIME ZONE $2
GROUP BY day, state;
