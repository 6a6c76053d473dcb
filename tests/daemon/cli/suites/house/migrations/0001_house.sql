CREATE TABLE house.todo (
    item_id         bigint PRIMARY KEY,
    state           text NOT NULL DEFAULT 'READY',
    priority        int NOT NULL DEFAULT 0,
    enqueued_at     timestamptz NOT NULL DEFAULT sexton.clock(),
    next_attempt_at timestamptz NOT NULL DEFAULT sexton.clock(),
    attempts        int NOT NULL DEFAULT 0,
    failures        int NOT NULL DEFAULT 0,
    rescues         int NOT NULL DEFAULT 0,
    token           bigint,
    lease_owner     uuid,
    last_error      text
);
CREATE TRIGGER wake AFTER INSERT ON house.todo
    FOR EACH STATEMENT EXECUTE FUNCTION sexton.wake_queue();
