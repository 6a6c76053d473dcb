-- name: past
-- $1: jobs. $2: since when. $3: a slot, in seconds. $4: slots before that of now. A span of missed instants is in every
-- slot that it reaches into.
SELECT n.job, r.first, r.last, r.state, r.instants
FROM unnest($1::text[]) AS n (job)
CROSS JOIN LATERAL (
    SELECT floor(extract(epoch FROM x.due_at - $2::timestamptz) / $3::int)::int - $4::int AS first,
        floor(extract(epoch FROM coalesce(x.due_until, x.due_at) - $2) / $3)::int - $4 AS last,
        x.state, sum(x.count)::int AS instants
    FROM sexton.run x
    WHERE x.job = n.job AND x.due_at >= $2 AND x.due_at <= sexton.clock()
    GROUP BY first, last, x.state
) r;

-- name: failures
SELECT id, job, due_at, finished_at, error FROM sexton.run
WHERE state = 'failed' AND finished_at > sexton.clock() - interval '1 day'
ORDER BY finished_at DESC
LIMIT 8;
