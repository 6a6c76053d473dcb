-- name: recent
SELECT id, due_at, state, reason, error, extract(epoch FROM finished_at - started_at)::float8 AS seconds
FROM sexton.run WHERE job = $1 ORDER BY due_at DESC, id DESC LIMIT $2;

-- name: calendar
-- $2: the job's zone. $3: the first local day. Single instants by day, spans one by one; one that began before that day
-- reaches in only as one of the last rows before it.
SELECT CASE WHEN x.due_until IS NULL THEN (x.due_at AT TIME ZONE $2::text)::date END AS day, x.state,
    CASE WHEN x.due_until IS NOT NULL THEN x.due_at END AS due_at, x.due_until, sum(x.count)::int AS instants,
    (array_agg(DISTINCT left(split_part(coalesce(x.reason, x.error), E'\n', 1), 200))
        FILTER (WHERE coalesce(x.reason, x.error) IS NOT NULL))[1:3] AS reasons
FROM (
    SELECT due_at, due_until, state, count, reason, error FROM sexton.run
    WHERE job = $1 AND due_at >= ($3::date)::timestamp AT TIME ZONE $2
    UNION ALL
    (SELECT due_at, due_until, state, count, reason, error FROM sexton.run
     WHERE job = $1 AND due_at < ($3::date)::timestamp AT TIME ZONE $2 ORDER BY due_at DESC LIMIT 5)
) x
WHERE x.due_at >= ($3::date)::timestamp AT TIME ZONE $2 OR x.due_until >= ($3::date)::timestamp AT TIME ZONE $2
GROUP BY 1, 2, 3, 4;
