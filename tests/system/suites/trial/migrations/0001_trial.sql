-- No unique constraint on purpose: an effect that happens twice shall be seen, not refused.
CREATE TABLE trial.effect (
    job    text NOT NULL,
    due_at timestamptz NOT NULL,
    step   int NOT NULL,
    run    bigint NOT NULL,
    at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE trial.done (
    key bigint NOT NULL,
    at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Which schedule every job had, and from when on: what the instants are recomputed from.
CREATE TABLE trial.schedule (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job         text NOT NULL,
    fingerprint text NOT NULL,
    since       timestamptz NOT NULL
);
CREATE FUNCTION trial.keep_schedule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trial.schedule (job, fingerprint, since)
    VALUES (NEW.name, NEW.schedule_fingerprint, NEW.evaluated_until);
    RETURN NULL;
END $$;
CREATE TRIGGER keep_first AFTER INSERT ON sexton.job FOR EACH ROW EXECUTE FUNCTION trial.keep_schedule();
CREATE TRIGGER keep_changed AFTER UPDATE ON sexton.job FOR EACH ROW
    WHEN (OLD.schedule_fingerprint <> NEW.schedule_fingerprint) EXECUTE FUNCTION trial.keep_schedule();

CREATE TABLE trial.item (
    key             bigint PRIMARY KEY,
    state           text NOT NULL DEFAULT 'READY' CHECK (state IN ('READY', 'RUNNING', 'DEAD')),
    priority        smallint NOT NULL DEFAULT 0,
    enqueued_at     timestamptz NOT NULL DEFAULT sexton.clock(),
    next_attempt_at timestamptz NOT NULL DEFAULT sexton.clock(),
    attempts        int NOT NULL DEFAULT 0,
    failures        int NOT NULL DEFAULT 0,
    rescues         int NOT NULL DEFAULT 0,
    token           bigint,
    lease_owner     uuid,
    last_error      text
);
CREATE TRIGGER wake AFTER INSERT ON trial.item FOR EACH STATEMENT EXECUTE FUNCTION sexton.wake_queue();
