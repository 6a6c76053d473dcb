-- Who may use the admin: one row for each token and browser session, so that they can be listed and revoked.
CREATE TABLE sexton.access_token (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name         text NOT NULL,
    role         text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    parent       uuid REFERENCES sexton.access_token ON DELETE CASCADE,
    issued_by    text NOT NULL,
    issued_at    timestamptz NOT NULL DEFAULT sexton.clock(),
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_by   text,
    revoked_at   timestamptz
);
COMMENT ON TABLE sexton.access_token IS 'no secret is here: a token is signed with the admin''s key and named by its id';
COMMENT ON COLUMN sexton.access_token.parent IS 'of a browser session: the token that was logged in with';
CREATE INDEX access_token_name ON sexton.access_token (name) WHERE parent IS NULL;
CREATE INDEX access_token_parent ON sexton.access_token (parent) WHERE parent IS NOT NULL;
CREATE INDEX access_token_expires ON sexton.access_token (expires_at);
