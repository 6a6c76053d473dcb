-- name: clock
SELECT sexton.clock();

-- name: restored
-- The last time this database came out of a backup.
SELECT backup, restored_at FROM sexton.restored ORDER BY restored_at DESC LIMIT 1;

-- name: known_jobs
SELECT name, schedule_fingerprint, evaluated_until, revision, paused_by, overrides
FROM sexton.job
WHERE name = ANY($1::text[]);

-- name: introduce_jobs
-- A brand-new job is not back-filled: its history starts now.
INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until)
SELECT n.name, n.fingerprint, sexton.clock()
FROM unnest($1::text[], $2::text[]) AS n (name, fingerprint)
ORDER BY n.name
ON CONFLICT DO NOTHING;

-- name: unsettled
SELECT job, count(*) AS outstanding
FROM sexton.run
WHERE strict AND state <> 'succeeded' AND waived_by IS NULL AND job = ANY($1::text[])
GROUP BY job;

-- name: tick
-- $1, $2: the due jobs, and which of the sorts $3..$7 each is of: fingerprint known, fingerprint to be, evaluated_until
-- known, revision, until. $8, $9: their runs, by the place of the job in $1, and which of the sorts $10..$21 each is of.
-- $22: what "now" was taken to be. $23: this node. Most jobs that are due at once are alike but for their names.
-- The swap is on watermark, fingerprint and revision at once: an older node, a twin, or a person's change
-- a moment ago makes it match nothing, and the loser looks again. A run marked `claim` starts at once.
-- Arrays are joined with FULL JOIN although neither side has rows of its own: the planner, which expects one row
-- of each, would loop over both, and 10,000 jobs due at once took minutes; a full join it can only hash or merge.
WITH due AS (
    SELECT d.name, d.place, ($3::text[])[d.sort] AS fingerprint, ($4::text[])[d.sort] AS new_fingerprint,
        ($5::timestamptz[])[d.sort] AS known_until, ($6::bigint[])[d.sort] AS revision,
        ($7::timestamptz[])[d.sort] AS until
    FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS d (name, sort, place)
), locked AS (
    SELECT j.name, j.running_run, d.place, d.new_fingerprint, d.until
    FROM sexton.job j JOIN due d ON d.name = j.name
    WHERE j.schedule_fingerprint = d.fingerprint AND j.evaluated_until = d.known_until
      AND j.revision = d.revision AND $22::timestamptz <= sexton.clock()
    ORDER BY j.name
    FOR NO KEY UPDATE OF j SKIP LOCKED
), sorted AS (
    SELECT r.place, ($10::timestamptz[])[r.sort] AS due_at, ($11::timestamptz[])[r.sort] AS due_until,
        ($12::int[])[r.sort] AS count, ($13::date[])[r.sort] AS logical_date, ($14::date[])[r.sort] AS logical_until,
        ($15::text[])[r.sort] AS state, ($16::text[])[r.sort] AS reason, ($17::smallint[])[r.sort] AS priority,
        ($18::bool[])[r.sort] AS strict, ($19::bool[])[r.sort] AS daily, ($20::text[])[r.sort] AS note,
        ($21::bool[])[r.sort] AS claim
    FROM unnest($8::bigint[], $9::int[]) AS r (place, sort)
), planned AS (
    SELECT l.name AS job, p.*, l.running_run,
        CASE WHEN p.daily AND p.state IN ('ready', 'waiting', 'held') THEN (
            SELECT min(x.id) FROM sexton.run x
            WHERE x.job = l.name AND x.logical_date = p.logical_date AND x.daily AND NOT x.again
              AND x.state NOT IN ('skipped', 'missed', 'cancelled'))
        END AS already
    FROM sorted p
    FULL JOIN locked l ON l.place = p.place
    WHERE (p.place IS NULL) = (l.name IS NULL)
), decided AS (
    SELECT p.*, p.claim AND p.state = 'ready' AND p.already IS NULL AND p.running_run IS NULL
        AND NOT EXISTS (SELECT FROM sexton.emergency_stop)
        AND NOT (p.strict AND EXISTS (
            SELECT FROM sexton.run e
            WHERE e.job = p.job AND e.strict AND e.due_at < p.due_at
              AND e.state <> 'succeeded' AND e.waived_by IS NULL)) AS starts
    FROM planned p
), inserted AS (
    INSERT INTO sexton.run (job, due_at, due_until, count, logical_date, logical_until, trigger, state, reason,
                            priority, strict, daily, not_before, note, token, node, attempt, started_at, finished_at)
    SELECT job, due_at, due_until, count, logical_date, logical_until, 'schedule',
        CASE WHEN already IS NOT NULL THEN 'skipped' WHEN starts THEN 'running' ELSE state END,
        CASE WHEN already IS NOT NULL THEN 'already covered by run ' || already ELSE reason END,
        priority, strict AND already IS NULL, daily, due_at, note,
        CASE WHEN starts THEN nextval('sexton.token') END,
        CASE WHEN starts THEN $23::uuid END,
        CASE WHEN starts THEN 1 ELSE 0 END,
        CASE WHEN starts THEN $22::timestamptz END,
        CASE WHEN already IS NOT NULL OR state IN ('skipped', 'missed') THEN $22::timestamptz END
    FROM decided
    ON CONFLICT (job, due_at) DO NOTHING
    RETURNING id, job, due_at, due_until, count, logical_date, state, reason, token
), moved AS (
    UPDATE sexton.job j
    SET evaluated_until = l.until, schedule_fingerprint = l.new_fingerprint,
        running_run = coalesce(i.id, j.running_run)
    FROM locked l FULL JOIN (SELECT id, job FROM inserted WHERE state = 'running') i ON i.job = l.name
    WHERE j.name = coalesce(l.name, i.job)
    RETURNING j.name
)
SELECT m.name, i.id, i.due_at, i.due_until, i.count, i.logical_date, i.state, i.reason, i.token
FROM moved m FULL JOIN inserted i ON i.job = m.name;

-- name: claim
-- $1..$5: the jobs this node can run: name, overlap, max lateness, coalesces, connections. $6: how many.
-- $7: this node. $8: connections free. What a ready run becomes is decided here, once: it starts, it is
-- skipped or missed with its reason, or it stays (somebody else holds its job at the moment).
WITH mine AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::interval[], $4::bool[], $5::int[])
        AS m (job, overlap, max_lateness, coalesces, connections)
), picked AS (
    SELECT r.id, r.job, r.due_at, r.priority, r.not_before, m.overlap, m.connections,
        r.trigger = 'schedule' AND r.attempt = 0 AS fresh,
        r.due_at + m.max_lateness < sexton.clock() AS late,
        CASE WHEN m.coalesces AND r.trigger = 'schedule' AND r.attempt = 0 THEN (
            SELECT max(n.id) FROM sexton.run n
            WHERE n.job = r.job AND n.due_at > r.due_at AND n.state = 'ready' AND n.trigger = 'schedule')
        END AS newer
    FROM sexton.run r
    JOIN mine m ON m.job = r.job
    JOIN sexton.job j ON j.name = r.job
    WHERE r.state = 'ready' AND r.not_before <= sexton.clock() AND NOT EXISTS (SELECT FROM sexton.emergency_stop)
      AND (j.running_run IS NULL OR j.running_run = r.id OR m.overlap = 'allow'
           OR (m.overlap = 'skip' AND r.trigger = 'schedule' AND r.attempt = 0))
      AND NOT (r.strict AND EXISTS (
            SELECT FROM sexton.run e
            WHERE e.job = r.job AND e.strict AND e.due_at < r.due_at
              AND e.state <> 'succeeded' AND e.waived_by IS NULL))
    ORDER BY r.priority, r.not_before, r.id
    LIMIT $6
    FOR UPDATE OF r SKIP LOCKED
), holders AS (
    SELECT j.name, j.running_run FROM sexton.job j
    WHERE j.name IN (SELECT job FROM picked WHERE overlap <> 'allow')
    ORDER BY j.name
    FOR NO KEY UPDATE OF j SKIP LOCKED
), judged AS (
    SELECT p.id, p.job, p.overlap, p.priority, p.not_before, p.connections, h.running_run,
        CASE
            WHEN p.fresh AND p.newer IS NOT NULL THEN 'skipped'
            WHEN p.fresh AND p.late THEN 'missed'
            WHEN p.overlap = 'allow' THEN 'running'
            WHEN h.name IS NULL THEN NULL
            WHEN h.running_run = p.id THEN 'running'
            WHEN h.running_run IS NOT NULL THEN
                CASE WHEN p.overlap = 'skip' AND p.fresh THEN 'skipped' END
            WHEN row_number() OVER (PARTITION BY p.job, p.fresh AND (p.newer IS NOT NULL OR p.late)
                                    ORDER BY p.due_at, p.id) = 1 THEN 'running'
        END AS becomes,
        CASE
            WHEN p.newer IS NOT NULL THEN 'coalesced into run ' || p.newer
            WHEN p.late THEN 'too late'
            ELSE 'overlap with run ' || h.running_run
        END AS why
    FROM picked p LEFT JOIN holders h ON h.name = p.job
), affordable AS (
    SELECT *, becomes = 'running'
        AND sum(connections) FILTER (WHERE becomes = 'running')
            OVER (ORDER BY priority, not_before, id) <= $8::int AS starts
    FROM judged
), updated AS (
    UPDATE sexton.run r
    SET state = a.becomes,
        reason = CASE WHEN a.starts THEN NULL ELSE a.why END,
        token = CASE WHEN a.starts THEN nextval('sexton.token') ELSE r.token END,
        node = CASE WHEN a.starts THEN $7::uuid END,
        attempt = r.attempt + a.starts::int,
        started_at = CASE WHEN a.starts THEN sexton.clock() ELSE r.started_at END,
        finished_at = CASE WHEN a.starts THEN NULL ELSE sexton.clock() END
    FROM affordable a
    WHERE r.id = a.id AND (a.starts OR a.becomes IN ('skipped', 'missed'))
    RETURNING r.id, r.job, r.due_at, r.due_until, r.count, r.logical_date, r.trigger, r.state, r.reason, r.token,
        r.attempt, r.failures, r.rescues, r.args, r.cursor, r.started_at, a.overlap
), taken AS (
    UPDATE sexton.job j SET running_run = u.id
    FROM updated u
    WHERE j.name = u.job AND u.state = 'running' AND u.overlap <> 'allow'
)
SELECT id, job, due_at, due_until, count, logical_date, trigger, state, reason, token, attempt, failures, rescues,
    args, cursor, started_at
FROM updated;

-- name: next_ready
-- Whether there is anything to claim, and when to look again without being told: the earliest retry that is not
-- due yet. Asked after every end of a run, so the jobs are left to `claim`: a stranger's row costs it one look.
SELECT EXISTS (SELECT FROM sexton.run WHERE state = 'ready' AND not_before <= sexton.clock()) AS due,
    (SELECT min(not_before) FROM sexton.run WHERE state = 'ready' AND not_before > sexton.clock()) AS upcoming;

-- name: finish
-- $1..$8: id, token, state, reason, result, error, failures, seconds until a retry. $9..$11: attempt outcome (null:
-- nothing worth a row), traceback, what a release grants. Rows whose token is no
-- longer ours are left alone and missing from the answer.
WITH done AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::int[],
                         $8::float8[], $9::text[], $10::text[], $11::jsonb[])
        AS d (id, token, state, reason, result, error, failures, retry_in, outcome, traceback, grants)
), updated AS (
    -- `node IS NOT NULL` says "running", by the table's CHECK. Said like this, the row is found by its key and not
    -- through the index of running rows, in which every run leaves a dead entry behind.
    UPDATE sexton.run r
    SET state = d.state, reason = d.reason, result = coalesce(d.result, r.result), error = d.error,
        failures = d.failures, node = NULL,
        not_before = CASE WHEN d.state = 'ready' THEN sexton.clock() + make_interval(secs => d.retry_in)
                          ELSE r.not_before END,
        finished_at = CASE WHEN d.state = 'ready' THEN NULL ELSE sexton.clock() END
    FROM done d
    WHERE r.id = d.id AND r.token = d.token AND r.node IS NOT NULL
    RETURNING r.id, r.job, r.state, r.attempt, r.started_at, d.outcome, d.error, d.traceback, d.grants
), freed AS (
    UPDATE sexton.job j SET running_run = NULL
    FROM updated u
    WHERE j.name = u.job AND j.running_run = u.id AND u.state <> 'ready'
), tried AS (
    -- All parts of a statement see the rows as they were before it: that is where the node still stands.
    INSERT INTO sexton.attempt (run, number, outcome, node, started_at, finished_at, error, traceback, grants)
    SELECT u.id, u.attempt, u.outcome, was.node, u.started_at, sexton.clock(), u.error, u.traceback, u.grants
    FROM updated u JOIN sexton.run was ON was.id = u.id
    WHERE u.outcome IS NOT NULL
    ON CONFLICT (run, number) DO NOTHING
)
SELECT id FROM updated;

-- name: fence
-- The last statement before COMMIT of a batch. No row: the run is somebody else's now.
UPDATE sexton.run SET cursor = $3::jsonb
WHERE id = $1 AND token = $2 AND state = 'running'
RETURNING id;

-- name: fence_only
SELECT id FROM sexton.run
WHERE id = $1 AND token = $2 AND state = 'running'
FOR NO KEY UPDATE;

-- name: complete
-- Success, in the same COMMIT as the last effects.
WITH updated AS (
    UPDATE sexton.run
    SET state = 'succeeded', reason = NULL, error = NULL, result = $3::jsonb, node = NULL,
        finished_at = sexton.clock()
    WHERE id = $1 AND token = $2 AND state = 'running'
    RETURNING id, job
), freed AS (
    UPDATE sexton.job j SET running_run = NULL
    FROM updated u WHERE j.name = u.job AND j.running_run = u.id
)
SELECT id FROM updated;

-- name: read_back
-- After a COMMIT whose answer was lost: what is true?
SELECT state, token, cursor, result FROM sexton.run WHERE id = $1;

-- name: ended_by
-- $1, $2: runs and the tokens of those who could not end them. The states they are in under these very tokens.
SELECT r.id, r.state FROM unnest($1::bigint[], $2::bigint[]) AS d (id, token)
JOIN sexton.run r ON r.id = d.id AND r.token = d.token
WHERE r.state <> 'running';

-- name: open_run
-- A poll that found work, or a body that wrote for the first time.
INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, priority, not_before, token, node,
                        attempt, started_at)
SELECT $1, c.at, (c.at AT TIME ZONE $2)::date, 'poll', 'running', $3, c.at, nextval('sexton.token'), $4, 1, c.at
FROM (SELECT sexton.clock() AS at) c
ON CONFLICT (job, due_at) DO NOTHING
RETURNING id, due_at, logical_date, token, started_at;

-- name: request_run
-- A person's run. Its overlap is to wait: somebody asked for it. $11: it stands for its date in a strict order.
INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, priority, strict, daily, again, not_before,
                        args, requested_by, note)
VALUES ($1, $2, $3, $4, 'ready', $5, $11, $6, $7, sexton.clock(), $8::jsonb, $9, $10)
RETURNING id;

-- name: waiting
SELECT r.id, r.job, r.due_at, r.logical_date, r.state, r.reason
FROM sexton.run r
WHERE (r.state = 'waiting' OR (r.state = 'skipped' AND r.reason LIKE 'dependency %'
                               AND r.due_at > sexton.clock() - interval '7 days'))
  AND r.job = ANY($1::text[])
ORDER BY r.due_at, r.id;

-- name: dependency_outcomes
-- For each (job, date): the state of the run that covers the date; one coalesced away answers for its heir.
SELECT w.job, w.logical_date, coalesce(heir.state, r.state) AS state, coalesce(heir.id, r.id) AS id
FROM unnest($1::text[], $2::date[]) AS w (job, logical_date)
JOIN LATERAL (
    SELECT * FROM sexton.run r
    WHERE r.job = w.job AND w.logical_date BETWEEN r.logical_date AND coalesce(r.logical_until, r.logical_date)
    ORDER BY (r.state = 'succeeded') DESC, (r.state IN ('ready', 'running', 'waiting', 'held')) DESC, r.due_at DESC
    LIMIT 1
) r ON true
LEFT JOIN LATERAL (
    SELECT h.id, h.state FROM sexton.run h
    WHERE r.state = 'skipped' AND r.reason LIKE 'coalesced into %' AND h.job = r.job
      AND h.due_at > coalesce(r.due_until, r.due_at)
    ORDER BY h.due_at LIMIT 1
) heir ON true;

-- name: settle_waiting
-- Level-triggered: a dependency's later success revives what was skipped for it, unless somebody made up for it by hand.
WITH settled AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) AS s (id, state, reason)
)
UPDATE sexton.run r
SET state = s.state, reason = s.reason, not_before = greatest(r.not_before, r.due_at),
    finished_at = CASE WHEN s.state = 'ready' THEN NULL ELSE sexton.clock() END
FROM settled s
WHERE r.id = s.id AND (r.state = 'waiting' OR (r.state = 'skipped' AND r.reason LIKE 'dependency %'))
  AND NOT (s.state = 'ready' AND r.state = 'skipped' AND r.daily AND NOT r.again AND EXISTS (
        SELECT FROM sexton.run x
        WHERE x.job = r.job AND x.logical_date = r.logical_date AND x.daily AND NOT x.again AND x.id <> r.id
          AND (x.state NOT IN ('skipped', 'missed', 'cancelled')
               OR (x.id < r.id AND x.id IN (SELECT id FROM settled WHERE state = 'ready')))))
RETURNING r.id, r.job, r.due_at, r.state, r.reason;

-- name: dispatch_events
-- $1, $2, $3: kind, job that handles it, its priority. An event without a handler here stays for a node that has one.
-- A handler's instants are unique, so events of one moment follow each other by microseconds. An event counts as handed
-- out when each of its runs is there: where another node took the same microsecond first, the next pass has another.
WITH handlers AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[]) AS h (kind, job, priority)
), picked AS (
    SELECT e.id, e.kind, e.payload, e.at FROM sexton.event e
    WHERE e.dispatched_at IS NULL AND e.kind IN (SELECT kind FROM handlers)
    ORDER BY e.id LIMIT 1000
    FOR UPDATE SKIP LOCKED
), wanted AS (
    SELECT h.job, h.priority, p.*, row_number() OVER (PARTITION BY h.job ORDER BY p.at, p.id) * interval '1 us' AS step,
        (SELECT max(r.due_at) FROM sexton.run r WHERE r.job = h.job AND r.due_at >= p.at) AS taken
    FROM picked p JOIN handlers h ON h.kind = p.kind
    WHERE (
        SELECT r.id FROM sexton.run r
        WHERE r.job = h.job AND r.due_at >= p.at AND r.trigger = 'event' AND r.args -> 'event' = to_jsonb(p.id)
        LIMIT 1) IS NULL
), inserted AS (
    INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, priority, not_before, args)
    SELECT job, max(greatest(at, taken + interval '1 us') - step) OVER (PARTITION BY job ORDER BY step) + step,
        (at AT TIME ZONE 'UTC')::date, 'event', 'ready', priority, at,
        jsonb_build_object('event', id, 'kind', kind, 'payload', payload)
    FROM wanted
    ON CONFLICT (job, due_at) DO NOTHING
    RETURNING job, (args ->> 'event')::bigint AS event
), crowded_out AS (
    SELECT job, id FROM wanted EXCEPT SELECT job, event FROM inserted
)
UPDATE sexton.event e SET dispatched_at = sexton.clock()
FROM picked p
WHERE e.id = p.id AND p.id <> ALL (ARRAY(SELECT id FROM crowded_out))
RETURNING e.id;

-- name: cancel_requests
SELECT c.run, c.requested_by FROM sexton.cancel_request c
JOIN sexton.run r ON r.id = c.run
WHERE r.node = $1 AND r.state = 'running';

-- name: append_log
INSERT INTO sexton.run_log (run, seq, at, level, line)
SELECT l.run, l.seq, l.at, l.level, l.line
FROM unnest($1::bigint[], $2::int[], $3::timestamptz[], $4::text[], $5::text[]) AS l (run, seq, at, level, line)
JOIN sexton.run r ON r.id = l.run
ON CONFLICT DO NOTHING;

-- name: last_runs
SELECT DISTINCT ON (r.job) r.job, r.due_at, r.state,
    extract(epoch FROM r.finished_at - r.started_at)::float8 AS duration_s, r.finished_at
FROM unnest($1::text[]) AS n (job)
CROSS JOIN LATERAL (
    SELECT * FROM sexton.run x WHERE x.job = n.job
      AND x.state IN ('running', 'succeeded', 'failed', 'cancelled') AND x.started_at IS NOT NULL
    ORDER BY x.started_at DESC LIMIT 1
) r
ORDER BY r.job;

-- name: release_strays
-- $1: this node. $2: what it is really working on. Anything else the table says it runs was claimed by a
-- statement whose answer got lost with the connection: given back, at no cost. A poll's row leaves nothing to
-- repeat: the queue has its items.
UPDATE sexton.run
SET state = CASE WHEN trigger = 'poll' THEN 'cancelled' ELSE 'ready' END, node = NULL,
    token = nextval('sexton.token'), not_before = sexton.clock(), attempt = attempt - 1,
    reason = CASE WHEN trigger = 'poll' THEN 'stopped: its beginning was not heard of; the queue keeps its items'
                  ELSE reason END,
    finished_at = CASE WHEN trigger = 'poll' THEN sexton.clock() END
WHERE node = $1 AND state = 'running' AND NOT id = ANY($2::bigint[])
RETURNING id;
