-- The leased work queue. {queue} and {key} become the suite's table and key column when it is loaded.

-- name: claim
-- $1: at most so many. $2: this node. Oldest first within a priority; the answer is sorted by the caller,
-- because RETURNING keeps no order. The clock is a subquery so that the index knows it: what is put off is passed
-- over there, and not looked up row by row.
WITH picked AS (
    SELECT {key} FROM {queue}
    WHERE state = 'READY' AND next_attempt_at <= (SELECT sexton.clock())
      AND NOT EXISTS (SELECT FROM sexton.emergency_stop)
    ORDER BY priority, next_attempt_at, {key}
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE {queue} q
SET state = 'RUNNING', attempts = attempts + 1, lease_owner = $2, token = nextval('sexton.token')
FROM picked p
WHERE q.{key} = p.{key}
RETURNING q.{key} AS key, q.token, q.attempts, q.failures, q.priority;

-- name: take
-- The first statement of a saving transaction: which of these items are still ours, locked in key order and taken
-- off the queue. They are off it when the transaction commits, and on it as before when it does not.
WITH ours AS (
    SELECT q.{key}
    FROM {queue} q JOIN unnest($1::bigint[], $2::bigint[]) AS mine (key, token) ON mine.key = q.{key}
    WHERE q.token = mine.token AND q.state = 'RUNNING'
    ORDER BY q.{key}
    FOR UPDATE OF q
)
DELETE FROM {queue} q USING ours o WHERE q.{key} = o.{key}
RETURNING q.{key} AS key;

-- name: fail
-- $3: reasons. $4: failures that make an item dead. $5: whether trying again cannot help. $6: first delay, seconds.
UPDATE {queue} q
SET failures = q.failures + 1, lease_owner = NULL, last_error = mine.error,
    state = CASE WHEN mine.permanent OR q.failures + 1 >= $4 THEN 'DEAD' ELSE 'READY' END,
    next_attempt_at = sexton.clock() + make_interval(secs => least($6::float8 * 2 ^ q.failures, 3600))
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $5::bool[]) AS mine (key, token, error, permanent)
WHERE q.{key} = mine.key AND q.token = mine.token AND q.state = 'RUNNING'
RETURNING q.{key} AS key, q.state, q.failures, q.last_error;

-- name: postpone
-- Nothing is wrong with these: back at no cost, for so long. $3: why. $4: seconds.
UPDATE {queue} q
SET state = 'READY', lease_owner = NULL, last_error = mine.reason,
    next_attempt_at = sexton.clock() + make_interval(secs => mine.delay)
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::float8[]) AS mine (key, token, reason, delay)
WHERE q.{key} = mine.key AND q.token = mine.token AND q.state = 'RUNNING'
RETURNING q.{key} AS key, q.last_error;

-- name: release
-- Given back unharmed: a stop of ours costs nothing.
UPDATE {queue} q
SET state = 'READY', lease_owner = NULL, attempts = q.attempts - 1
FROM unnest($1::bigint[], $2::bigint[]) AS mine (key, token)
WHERE q.{key} = mine.key AND q.token = mine.token AND q.state = 'RUNNING';

-- name: release_strays
-- $1: this node. $2: the tokens it is really working on. What else the table says it holds was claimed by a
-- statement whose answer got lost.
UPDATE {queue} SET state = 'READY', lease_owner = NULL, token = nextval('sexton.token'), attempts = attempts - 1
WHERE lease_owner = $1 AND state = 'RUNNING' AND NOT token = ANY($2::bigint[]);

-- name: rescue
-- $1: the dead node. $2: rescues that make an item dead. To the back of the queue: it may be what killed the node.
UPDATE {queue}
SET lease_owner = NULL, token = nextval('sexton.token'), rescues = rescues + 1,
    state = CASE WHEN rescues + 1 > $2 THEN 'DEAD' ELSE 'READY' END,
    last_error = CASE WHEN rescues + 1 > $2
        THEN 'the node died ' || rescues + 1 || ' times while working on this' ELSE last_error END,
    next_attempt_at = greatest(next_attempt_at, sexton.clock())
WHERE lease_owner = $1 AND state = 'RUNNING'
RETURNING {key} AS key, state, last_error;

-- name: running_for_the_dead
SELECT DISTINCT q.lease_owner AS node, n.name
FROM {queue} q JOIN sexton.node n ON n.incarnation = q.lease_owner
WHERE q.state = 'RUNNING' AND n.dead_at IS NOT NULL;

-- name: next_due
-- The earliest of each priority, from one to the next along the index that claims go by: asked after every pass, also
-- while a million items are put off.
WITH RECURSIVE earliest AS (
    (SELECT priority, next_attempt_at FROM {queue} WHERE state = 'READY'
     ORDER BY priority, next_attempt_at, {key} LIMIT 1)
    UNION ALL
    SELECT n.priority, n.next_attempt_at
    FROM earliest e CROSS JOIN LATERAL (
        SELECT priority, next_attempt_at FROM {queue} WHERE state = 'READY' AND priority > e.priority
        ORDER BY priority, next_attempt_at, {key} LIMIT 1) n
)
SELECT extract(epoch FROM min(next_attempt_at) - sexton.clock())::float8 FROM earliest;

-- name: depth
SELECT count(*) FILTER (WHERE state = 'READY') AS ready, count(*) FILTER (WHERE state = 'RUNNING') AS running,
    count(*) FILTER (WHERE state = 'DEAD') AS dead,
    coalesce(extract(epoch FROM sexton.clock() - min(enqueued_at) FILTER (WHERE state = 'READY')), 0)::float8
        AS oldest_age_s
FROM {queue};

-- name: requeue
-- A person brings dead items back. Everything is counted anew; tries of before would else pass for times that the item
-- was put off. $1: keys, null for all. $2: those whose error has this in it, null for any. $3: at most so many, null
-- for no limit.
UPDATE {queue} SET state = 'READY', attempts = 0, failures = 0, rescues = 0, next_attempt_at = sexton.clock()
WHERE {key} = ANY (ARRAY(
    SELECT {key} FROM {queue}
    WHERE state = 'DEAD' AND ($1::bigint[] IS NULL OR {key} = ANY($1))
      AND ($2::text IS NULL OR position($2 IN coalesce(last_error, '')) > 0)
    ORDER BY {key} LIMIT $3::int
    FOR UPDATE SKIP LOCKED))
RETURNING {key} AS key;

-- name: discard
-- A person gives dead items up; the audit keeps what they were. $1 to $3 as for requeue.
DELETE FROM {queue} q
WHERE {key} = ANY (ARRAY(
    SELECT {key} FROM {queue}
    WHERE state = 'DEAD' AND ($1::bigint[] IS NULL OR {key} = ANY($1))
      AND ($2::text IS NULL OR position($2 IN coalesce(last_error, '')) > 0)
    ORDER BY {key} LIMIT $3::int
    FOR UPDATE SKIP LOCKED))
RETURNING q.{key} AS key, to_jsonb(q) AS item;

-- name: items
-- $1: state. $2: as above. $3: keys above. $4: how many.
SELECT {key} AS key, state, priority, enqueued_at, next_attempt_at, attempts, failures, rescues, last_error
FROM {queue}
WHERE state = $1 AND ($2::text IS NULL OR position($2 IN coalesce(last_error, '')) > 0)
  AND ($3::bigint IS NULL OR {key} > $3)
ORDER BY {key}
LIMIT $4;

-- name: dead_items
-- How many there are. $1: those whose error has this in it, null for any.
SELECT count(*) AS dead FROM {queue}
WHERE state = 'DEAD' AND ($1::text IS NULL OR position($1 IN coalesce(last_error, '')) > 0);
