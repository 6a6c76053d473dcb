-- What becomes of a ledger that came out of a backup, before anybody uses it. One transaction.

-- name: events_wait
-- $1: the kinds that have handlers.
SELECT EXISTS (SELECT FROM sexton.event WHERE dispatched_at IS NULL AND kind = ANY($1::text[]));

-- name: hold_runs
-- $1: the reason. What was under way when the backup was taken has perhaps been done since.
UPDATE sexton.run SET state = 'held', reason = $1, node = NULL, token = nextval('sexton.token')
WHERE state IN ('ready', 'running', 'waiting') AND trigger <> 'poll'
RETURNING id;

-- name: end_polls
-- The next pass looks at the same queue.
UPDATE sexton.run SET state = 'cancelled', reason = 'its node died; the queue keeps its items', node = NULL,
    token = nextval('sexton.token'), finished_at = sexton.clock()
WHERE state IN ('ready', 'running', 'waiting') AND trigger = 'poll';

-- name: free_jobs
UPDATE sexton.job SET running_run = NULL WHERE running_run IS NOT NULL;

-- name: hold_messages
-- $1: the reason. They may have arrived; a person may send them again.
UPDATE sexton.outbox SET state = 'unknown', last_error = $1, lease_owner = NULL, settled_at = sexton.clock()
WHERE state IN ('pending', 'sending')
RETURNING id;

-- name: expire_nodes
-- Nobody of then is alive; the next node takes their queue items back at once.
UPDATE sexton.node SET lease_until = sexton.clock() WHERE dead_at IS NULL AND lease_until > sexton.clock();

-- name: remember
INSERT INTO sexton.restored (restored_at, taken_at, backup, restored_by)
SELECT greatest(sexton.clock(), $2), $2, $1, $3;

-- name: ledger_there
SELECT to_regclass('sexton.run') IS NOT NULL;

-- name: relations
-- What is there of anybody's: an empty database has none. Extensions' own do not count.
SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e');

-- name: is_template
-- $1: the database. The server makes new databases from it, and does not let go of it.
SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1::text AND datistemplate);

-- name: alive
-- Daemons that work on this database.
SELECT name FROM sexton.node WHERE dead_at IS NULL AND lease_until > sexton.clock() ORDER BY name;

-- name: connected
-- $1: the database. Who else is in it.
SELECT coalesce(nullif(application_name, ''), 'process ' || pid) AS who FROM pg_stat_activity
WHERE datname = $1 AND pid <> pg_backend_pid() ORDER BY 1 LIMIT 5;
