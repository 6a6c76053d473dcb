-- The outbox: messages that jobs leave in their own transactions, and the engine delivers.

-- One row for each message. Also an interface: a suite may insert many in one statement, with the columns suite,
-- recipient or address, channel, template, data, kind and dedupe_key, ON CONFLICT (dedupe_key) DO NOTHING.
CREATE TABLE sexton.outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    suite       text NOT NULL DEFAULT '',
    recipient   text,
    address     text CHECK (num_nonnulls(recipient, address) = 1),
    channel     text NOT NULL DEFAULT 'email' CHECK (channel IN ('email', 'sms', 'slack', 'discord')),
    template    text NOT NULL,
    data        jsonb NOT NULL DEFAULT '{}',
    kind        text NOT NULL DEFAULT 'transactional'
                CHECK (kind IN ('transactional', 'security', 'promotional', 'alert')),
    dedupe_key  text COLLATE "C" NOT NULL UNIQUE,
    state       text NOT NULL DEFAULT 'pending'
                CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'suppressed', 'unknown')),
    not_before  timestamptz NOT NULL DEFAULT sexton.clock(),
    expires_at  timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    failures    integer NOT NULL DEFAULT 0,
    token       bigint,
    lease_owner uuid CHECK ((state = 'sending') = (lease_owner IS NOT NULL)),
    last_error  text,
    provider_id text,
    run         bigint,
    created_at  timestamptz NOT NULL DEFAULT sexton.clock(),
    settled_at  timestamptz
) WITH (fillfactor = 85);
COMMENT ON COLUMN sexton.outbox.suite IS 'whose template and whose recipients; empty for the engine''s own';
COMMENT ON COLUMN sexton.outbox.recipient IS 'an id in the suite''s view sexton_recipient';
COMMENT ON COLUMN sexton.outbox.address IS 'given instead of a recipient; empty: the one target of a chat channel';
COMMENT ON COLUMN sexton.outbox.attempts IS 'sends begun, as far as is known';
COMMENT ON COLUMN sexton.outbox.failures IS 'sends that were refused for now; they decide failed';
COMMENT ON COLUMN sexton.outbox.state IS 'unknown: it may have arrived, and is of a kind that is not sent twice';

-- Two, so that a sign-in code never waits behind a million digests.
CREATE INDEX outbox_urgent ON sexton.outbox (channel, not_before, id)
    WHERE state = 'pending' AND kind IN ('security', 'alert');
CREATE INDEX outbox_pending ON sexton.outbox (channel, not_before, id)
    WHERE state = 'pending' AND kind IN ('transactional', 'promotional');
CREATE INDEX outbox_of_node ON sexton.outbox (lease_owner) WHERE state = 'sending';
CREATE INDEX outbox_attention ON sexton.outbox (channel, state) WHERE state IN ('failed', 'unknown');
CREATE INDEX outbox_expiring ON sexton.outbox (expires_at) WHERE state = 'pending' AND expires_at IS NOT NULL;
CREATE INDEX outbox_settled ON sexton.outbox (settled_at) WHERE settled_at IS NOT NULL;

CREATE FUNCTION sexton.wake_outbox() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sexton', 'outbox');
    RETURN NULL;
END $$;
CREATE TRIGGER wake AFTER INSERT ON sexton.outbox
    FOR EACH STATEMENT EXECUTE FUNCTION sexton.wake_outbox();

-- Keys of messages whose rows have been purged, so that an old key is not sent again. A set-based insert that may
-- repeat keys older than the retention leaves these out: sha256(convert_to(dedupe_key, 'UTF8')).
CREATE TABLE sexton.outbox_key (
    hash bytea PRIMARY KEY,
    at   timestamptz NOT NULL DEFAULT sexton.clock()
);
CREATE INDEX outbox_key_at ON sexton.outbox_key (at);

-- Who is not written to any more. `recipient` is the address for messages that were given one.
CREATE TABLE sexton.suppression (
    suite     text NOT NULL,
    recipient text NOT NULL,
    channel   text NOT NULL,
    reason    text NOT NULL,
    address   text,
    at        timestamptz NOT NULL DEFAULT sexton.clock(),
    PRIMARY KEY (suite, recipient, channel)
);
COMMENT ON COLUMN sexton.suppression.reason IS '''unsubscribed'' stops promotional messages and alerts, any other reason all';
COMMENT ON COLUMN sexton.suppression.address IS 'when set, it holds for this address only: a new one is tried again';

CREATE TABLE sexton.channel_state (
    channel         text PRIMARY KEY,
    disabled_reason text,
    at              timestamptz NOT NULL DEFAULT sexton.clock()
);
COMMENT ON TABLE sexton.channel_state IS 'targets that told us to stop; a start of the daemon tries them again';
