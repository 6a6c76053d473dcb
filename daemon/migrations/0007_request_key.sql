-- What a client asked for under a key of its own, so that asking again after a lost answer makes no second run.
CREATE TABLE sexton.request_key (
    who text NOT NULL,
    key text NOT NULL,
    run bigint NOT NULL,
    at  timestamptz NOT NULL DEFAULT sexton.clock(),
    PRIMARY KEY (who, key)
);
CREATE INDEX request_key_at ON sexton.request_key (at);
