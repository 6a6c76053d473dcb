-- Troubles that somebody is told of: one row for each kind and job, queue or channel, so that several nodes and
-- restarts tell of it once.
CREATE TABLE sexton.alert (
    key        text PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('failed', 'forsaken', 'held', 'missed', 'dead', 'away')),
    subject    text NOT NULL,
    detail     text NOT NULL DEFAULT '',
    run        bigint,
    opened_at  timestamptz NOT NULL DEFAULT sexton.clock(),
    last_at    timestamptz NOT NULL DEFAULT sexton.clock(),
    count      bigint NOT NULL DEFAULT 1,
    told_count bigint NOT NULL DEFAULT 0,
    told_at    timestamptz,
    closed_at  timestamptz
);
COMMENT ON COLUMN sexton.alert.subject IS 'a job, a queue, or a channel';
COMMENT ON COLUMN sexton.alert.count IS 'how often since it was opened; told_count: how much of that has been told';
COMMENT ON COLUMN sexton.alert.told_at IS 'the last message, kept over a closing: at most one an hour';
CREATE INDEX alert_open ON sexton.alert (key) WHERE closed_at IS NULL;
