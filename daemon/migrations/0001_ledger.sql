-- The ledger: one row for each thing that had to happen. See docs/DESIGN.md, section 2.

-- Every lease, retry and due instant is judged by this clock and no other, so that nodes with
-- different clocks agree, and a test can move time for all of them at once.
CREATE FUNCTION sexton.clock() RETURNS timestamptz
    LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';

-- Fencing tokens, for runs and queue items alike.
CREATE SEQUENCE sexton.token;

-- Statement trigger for queue tables: tells every node that a queue has new items.
CREATE FUNCTION sexton.wake_queue() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sexton', 'queue:' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME);
    RETURN NULL;
END $$;

CREATE TABLE sexton.job (
    name                 text PRIMARY KEY,
    schedule_fingerprint text NOT NULL,
    evaluated_until      timestamptz NOT NULL,
    running_run          bigint,
    revision             bigint NOT NULL DEFAULT 1,
    paused_by            text,
    paused_at            timestamptz,
    overrides            jsonb NOT NULL DEFAULT '{}',
    changed_by           text,
    changed_at           timestamptz
) WITH (fillfactor = 50);
COMMENT ON COLUMN sexton.job.evaluated_until IS 'every instant up to here, this one included, has its row in sexton.run';
COMMENT ON COLUMN sexton.job.revision IS 'moves with every change by a person; the tick compares and swaps on it';

CREATE SEQUENCE sexton.run_id;
CREATE TABLE sexton.run (
    id            bigint PRIMARY KEY DEFAULT nextval('sexton.run_id'),
    job           text NOT NULL,
    due_at        timestamptz NOT NULL,
    due_until     timestamptz,
    count         integer NOT NULL DEFAULT 1 CHECK (count > 0),
    logical_date  date NOT NULL,
    logical_until date,
    trigger       text NOT NULL CHECK (trigger IN ('schedule', 'manual', 'event', 'dependency', 'poll')),
    state         text NOT NULL CHECK (state IN
                  ('waiting', 'held', 'ready', 'running', 'succeeded', 'failed', 'skipped', 'missed', 'cancelled')),
    reason        text CHECK (reason IS NOT NULL OR state NOT IN ('held', 'skipped', 'missed', 'cancelled')),
    priority      smallint NOT NULL DEFAULT 2,
    strict        boolean NOT NULL DEFAULT false,
    daily         boolean NOT NULL DEFAULT false,
    again         boolean NOT NULL DEFAULT false,
    not_before    timestamptz NOT NULL,
    token         bigint,
    node          uuid CHECK ((state = 'running') = (node IS NOT NULL)),
    attempt       integer NOT NULL DEFAULT 0,
    failures      integer NOT NULL DEFAULT 0,
    rescues       integer NOT NULL DEFAULT 0,
    started_at    timestamptz,
    finished_at   timestamptz,
    waived_by     text,
    requested_by  text,
    note          text,
    args          jsonb,
    cursor        jsonb,
    result        jsonb,
    error         text,
    UNIQUE (job, due_at)
) WITH (fillfactor = 70);
COMMENT ON COLUMN sexton.run.strict IS 'CatchUp.EACH: not claimable while an earlier strict run of its job is neither succeeded nor waived';
COMMENT ON COLUMN sexton.run.daily IS 'the job is due at most once a local date, so its logical date is unique';

-- "What ran for this date" has one answer, whatever triggered it; `--again` is the explicit way round.
CREATE UNIQUE INDEX run_logical_date ON sexton.run (job, logical_date)
    WHERE daily AND NOT again AND state NOT IN ('skipped', 'missed', 'cancelled');
CREATE INDEX run_ready ON sexton.run (priority, not_before, id) WHERE state = 'ready';
CREATE INDEX run_waiting ON sexton.run (job) WHERE state = 'waiting';
CREATE INDEX run_of_node ON sexton.run (node) WHERE state = 'running';
CREATE INDEX run_unsettled ON sexton.run (job, due_at)
    WHERE strict AND state <> 'succeeded' AND waived_by IS NULL;
CREATE INDEX run_attention ON sexton.run (job) WHERE state IN ('failed', 'held');
CREATE INDEX run_dependency_skipped ON sexton.run (job)
    WHERE state = 'skipped' AND reason LIKE 'dependency %';

CREATE TABLE sexton.attempt (
    run         bigint NOT NULL REFERENCES sexton.run ON DELETE CASCADE,
    number      integer NOT NULL,
    outcome     text NOT NULL,
    node        uuid,
    started_at  timestamptz,
    finished_at timestamptz NOT NULL,
    error       text,
    traceback   text,
    PRIMARY KEY (run, number)
);

CREATE TABLE sexton.run_log (
    run   bigint NOT NULL REFERENCES sexton.run ON DELETE CASCADE,
    seq   integer NOT NULL,
    at    timestamptz NOT NULL,
    level text NOT NULL,
    line  text NOT NULL,
    PRIMARY KEY (run, seq)
);

-- Asked by a person, done by the node that runs it: a running row is touched by its own fence alone.
CREATE TABLE sexton.cancel_request (
    run          bigint PRIMARY KEY REFERENCES sexton.run ON DELETE CASCADE,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT sexton.clock()
);

CREATE TABLE sexton.node (
    incarnation uuid PRIMARY KEY,
    name        text NOT NULL,
    home        text NOT NULL,
    version     text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT sexton.clock(),
    lease_until timestamptz NOT NULL,
    dead_at     timestamptz,
    dead_reason text
) WITH (fillfactor = 50);
COMMENT ON COLUMN sexton.node.home IS 'host and state directory: a restart there reclaims at once';

-- Apart from the lease, so that nothing but its renewal ever locks the lease row.
CREATE TABLE sexton.node_status (
    incarnation uuid PRIMARY KEY REFERENCES sexton.node ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    status      jsonb NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE sexton.queue (
    name          text PRIMARY KEY,
    key           text NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT sexton.clock()
);
COMMENT ON TABLE sexton.queue IS 'every queue table a suite has, so that any node can rescue a dead node''s items';

CREATE TABLE sexton.event (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL,
    payload       jsonb NOT NULL DEFAULT '{}',
    at            timestamptz NOT NULL DEFAULT sexton.clock(),
    dispatched_at timestamptz
);
CREATE INDEX event_undispatched ON sexton.event (id) WHERE dispatched_at IS NULL;
CREATE FUNCTION sexton.wake_event() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sexton', 'event');
    RETURN NULL;
END $$;
CREATE TRIGGER wake AFTER INSERT ON sexton.event
    FOR EACH STATEMENT EXECUTE FUNCTION sexton.wake_event();

CREATE TABLE sexton.audit (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT sexton.clock(),
    who    text NOT NULL,
    origin text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    reason text,
    before jsonb,
    after  jsonb
);
CREATE INDEX audit_at ON sexton.audit (at);
