-- name: past
-- $1: jobs. $2: since when. $3: a slot, in seconds. $4: slots before that of now. Single instants by slot, spans one by
-- one. A span that began before reaches in only as one of the last rows before: what comes after it is due after it,
-- but for what a person asked for.
SELECT n.job, r.slot, r.state, r.due_at, r.due_until, r.instants
FROM unnest($1::text[]) AS n (job)
CROSS JOIN LATERAL (
    SELECT CASE WHEN x.due_until IS NULL
            THEN floor(extract(epoch FROM x.due_at - $2::timestamptz) / $3::int)::int - $4::int END AS slot,
        x.state, CASE WHEN x.due_until IS NOT NULL THEN x.due_at END AS due_at, x.due_until,
        sum(x.count)::int AS instants
    FROM (
        SELECT due_at, due_until, state, count FROM sexton.run
        WHERE job = n.job AND due_at >= $2 AND due_at <= sexton.clock()
        UNION ALL
        (SELECT due_at, due_until, state, count FROM sexton.run
         WHERE job = n.job AND due_at < $2 ORDER BY due_at DESC LIMIT 5)
    ) x
    WHERE x.due_at >= $2 OR x.due_until >= $2
    GROUP BY 1, 2, 3, 4
) r;

-- name: failures
SELECT id, job, due_at, finished_at, error FROM sexton.run
WHERE state = 'failed' AND finished_at > sexton.clock() - interval '1 day'
ORDER BY finished_at DESC
LIMIT 8;
