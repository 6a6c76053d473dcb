-- What one person wants done to a sensitive job and a second has to agree to, where admin.two_person says so.
CREATE TABLE sexton.approval (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action     text NOT NULL CHECK (action IN ('run', 'retry', 'waive')),
    job        text NOT NULL,
    payload    jsonb NOT NULL,
    asked_by   text NOT NULL,
    origin     text NOT NULL,
    reason     text NOT NULL,
    asked_at   timestamptz NOT NULL DEFAULT sexton.clock(),
    expires_at timestamptz NOT NULL DEFAULT sexton.clock() + interval '1 day',
    decision   text CHECK (decision IN ('approved', 'refused')),
    decided_by text CHECK ((decision IS NULL) = (decided_by IS NULL)),
    decided_at timestamptz,
    CHECK (decision IS DISTINCT FROM 'approved' OR decided_by <> asked_by)
);
CREATE INDEX approval_pending ON sexton.approval (id) WHERE decision IS NULL;
