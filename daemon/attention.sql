-- name: queues
SELECT q.name, q.key, to_regclass(q.name) IS NOT NULL AS there FROM sexton.queue q ORDER BY q.name;

-- name: trouble
-- One row for each kind of trouble and job: how many runs, the latest of them, and why. A failed run is news for
-- a week, or for as long as it holds up later instants of its job. A span that began before the day reaches into it
-- only as one of the last rows before the day: what comes after it is due after it, but for what a person asked for.
WITH troubled AS (
    SELECT 'failed' AS kind, id, job, due_at, due_until, 1 AS instants, coalesce(error, reason) AS why FROM sexton.run
    WHERE state = 'failed'
      AND (finished_at > sexton.clock() - interval '7 days' OR (strict AND waived_by IS NULL))
    UNION ALL
    SELECT 'held', id, job, due_at, due_until, count, reason FROM sexton.run WHERE state = 'held'
    UNION ALL
    SELECT 'late', id, job, due_at, due_until, count, reason FROM sexton.run
    WHERE state = 'ready' AND not_before < sexton.clock() - interval '5 minutes'
    UNION ALL
    SELECT 'missed', id, job, due_at, due_until, count, reason FROM sexton.run
    WHERE state = 'missed' AND job = ANY($1::text[])
      AND due_at BETWEEN sexton.clock() - interval '1 day' AND sexton.clock()
    UNION ALL
    SELECT 'missed', b.id, n.job, b.due_at, b.due_until, b.count, b.reason
    FROM unnest($1::text[]) AS n (job)
    CROSS JOIN LATERAL (
        SELECT x.id, x.due_at, x.due_until, x.count, x.reason, x.state FROM sexton.run x
        WHERE x.job = n.job AND x.due_at < sexton.clock() - interval '1 day'
        ORDER BY x.due_at DESC LIMIT 5
    ) b
    WHERE b.state = 'missed' AND b.due_until >= sexton.clock() - interval '1 day'
)
SELECT kind, job, sum(instants) AS instants, max(id) AS run, max(coalesce(due_until, due_at)) AS due_at,
    (array_agg(why ORDER BY id DESC))[1] AS why
FROM troubled
GROUP BY kind, job
ORDER BY array_position(ARRAY['failed', 'held', 'late', 'missed'], kind), job
LIMIT 100;

-- name: backup
-- Since when no backup has succeeded, and why.
SELECT detail, opened_at, count FROM sexton.alert WHERE kind = 'backup' AND closed_at IS NULL;

-- name: paused_jobs
SELECT name, paused_by, paused_at FROM sexton.job
WHERE paused_by IS NOT NULL AND name = ANY($1::text[])
ORDER BY name;

-- name: messages
-- What is not over, and what ended badly in the last week, by channel.
SELECT channel, count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'sending') AS sending,
    count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'unknown') AS unknown,
    coalesce(extract(epoch FROM sexton.clock() - min(not_before) FILTER (WHERE state = 'pending')), 0)::float8
        AS oldest_age_s
FROM (
    SELECT channel, state, not_before FROM sexton.outbox WHERE state IN ('pending', 'sending')
    UNION ALL
    SELECT channel, state, not_before FROM sexton.outbox
    WHERE state IN ('failed', 'unknown') AND settled_at > sexton.clock() - interval '7 days'
) m
GROUP BY channel ORDER BY channel;

-- name: disabled_channels
SELECT channel, disabled_reason FROM sexton.channel_state WHERE disabled_reason IS NOT NULL ORDER BY channel;

-- name: stopped_jobs
-- Jobs that a person has disabled: what is not due has no row that could be missed.
SELECT name, changed_by, changed_at FROM sexton.job
WHERE overrides -> 'enabled' = 'false' AND name = ANY($1::text[])
ORDER BY name;
