-- A backup that fails is told of like any other trouble.
ALTER TABLE sexton.alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE sexton.alert ADD CONSTRAINT alert_kind_check
    CHECK (kind IN ('failed', 'forsaken', 'held', 'missed', 'dead', 'away', 'backup'));
COMMENT ON COLUMN sexton.alert.subject IS 'a job, a queue, a channel, or the backup';

-- When this database came out of a backup. What was due between the two instants has perhaps been done, and what it
-- did outside the database certainly stays done: it is held for a person.
CREATE TABLE sexton.restored (
    restored_at timestamptz PRIMARY KEY,
    taken_at    timestamptz NOT NULL CHECK (taken_at <= restored_at),
    backup      text NOT NULL,
    restored_by text NOT NULL
);
