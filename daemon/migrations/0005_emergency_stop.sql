-- While there is a row, nothing begins on any node: every statement that claims work asks for it.
CREATE TABLE sexton.emergency_stop (
    single     boolean PRIMARY KEY DEFAULT true CHECK (single),
    stopped_by text NOT NULL,
    stopped_at timestamptz NOT NULL DEFAULT sexton.clock(),
    reason     text
);
