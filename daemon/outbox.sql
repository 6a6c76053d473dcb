-- The outbox's statements: what leaves a message, what delivers it, what tidies up.

-- name: notify
-- No row: the key was there before, or was and has been purged.
INSERT INTO sexton.outbox (suite, run, recipient, address, channel, template, data, kind, dedupe_key, not_before, expires_at)
SELECT $1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, coalesce($10, sexton.clock()), $11::timestamptz
WHERE NOT EXISTS (SELECT FROM sexton.outbox_key k WHERE k.hash = sha256(convert_to($9::text, 'UTF8')))
ON CONFLICT (dedupe_key) DO NOTHING
RETURNING id;

-- name: whose_key
SELECT suite FROM sexton.outbox WHERE dedupe_key = $1;

-- name: claim
-- $1: channel. $2: at most so many. $3: this node. What somebody waits for comes first, then by time. The clock is
-- read once, so that the indexes can be used; an array makes the rows be found by their key, whatever the statistics.
WITH urgent AS (
    SELECT id FROM sexton.outbox
    WHERE channel = $1 AND state = 'pending' AND kind IN ('security', 'alert')
      AND not_before <= (SELECT sexton.clock())
      AND NOT EXISTS (SELECT FROM sexton.channel_state WHERE channel = $1 AND disabled_reason IS NOT NULL)
      AND NOT EXISTS (SELECT FROM sexton.emergency_stop)
    ORDER BY not_before, id LIMIT $2::int
    FOR UPDATE SKIP LOCKED
), others AS (
    SELECT id FROM sexton.outbox
    WHERE channel = $1 AND state = 'pending' AND kind IN ('transactional', 'promotional')
      AND not_before <= (SELECT sexton.clock())
      AND NOT EXISTS (SELECT FROM sexton.channel_state WHERE channel = $1 AND disabled_reason IS NOT NULL)
      AND NOT EXISTS (SELECT FROM sexton.emergency_stop)
    ORDER BY not_before, id LIMIT $2::int - (SELECT count(*) FROM urgent)
    FOR UPDATE SKIP LOCKED
)
UPDATE sexton.outbox o
SET state = 'sending', attempts = attempts + 1, lease_owner = $3, token = nextval('sexton.token')
WHERE o.id = ANY (ARRAY(SELECT id FROM urgent UNION ALL SELECT id FROM others))
RETURNING o.id, o.token, o.suite, o.recipient, o.address, o.channel, o.template, o.data, o.kind, o.dedupe_key,
    o.expires_at, o.attempts, o.failures, o.not_before;

-- name: next_due
-- Seconds until a message of the channel may be sent; null when there is none, the channel is disabled,
-- or everything is stopped.
SELECT extract(epoch FROM least(
    (SELECT min(not_before) FROM sexton.outbox
     WHERE channel = $1 AND state = 'pending' AND kind IN ('security', 'alert')),
    (SELECT min(not_before) FROM sexton.outbox
     WHERE channel = $1 AND state = 'pending' AND kind IN ('transactional', 'promotional'))
) - sexton.clock())::float8
WHERE NOT EXISTS (SELECT FROM sexton.channel_state WHERE channel = $1 AND disabled_reason IS NOT NULL)
  AND NOT EXISTS (SELECT FROM sexton.emergency_stop);

-- name: suppressions
-- $1: channel. $2, $3: suites and recipients, or addresses of messages that were given one.
SELECT s.suite, s.recipient, s.reason, s.address
FROM unnest($2::text[], $3::text[]) AS asked (suite, recipient)
JOIN sexton.suppression s ON s.suite = asked.suite AND s.recipient = asked.recipient AND s.channel = $1;

-- name: settle
-- Those still ours, by token. $4: error or reason. $6: not before, null: as it is. $7: the try does not count.
-- $8: it counts towards giving up.
UPDATE sexton.outbox o
SET state = s.state, lease_owner = NULL, last_error = nullif(s.detail, ''),
    provider_id = coalesce(s.provider_id, o.provider_id), not_before = coalesce(s.at, o.not_before),
    attempts = o.attempts - CASE WHEN s.unharmed THEN 1 ELSE 0 END,
    failures = o.failures + CASE WHEN s.failed THEN 1 ELSE 0 END,
    settled_at = CASE WHEN s.state <> 'pending' THEN sexton.clock() END
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bool[], $8::bool[])
    AS s (id, token, state, detail, provider_id, at, unharmed, failed)
WHERE o.id = s.id AND o.token = s.token AND o.state = 'sending'
RETURNING o.id;

-- name: suppress
INSERT INTO sexton.suppression (suite, recipient, channel, reason, address)
SELECT DISTINCT ON (1, 2, 3) s.suite, s.recipient, s.channel, s.reason, s.address
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS s (suite, recipient, channel, reason, address)
ON CONFLICT (suite, recipient, channel) DO UPDATE SET reason = excluded.reason, address = excluded.address, at = excluded.at
WHERE sexton.suppression.address IS NOT NULL;

-- name: disable
INSERT INTO sexton.channel_state (channel, disabled_reason) VALUES ($1, $2)
ON CONFLICT (channel) DO UPDATE SET disabled_reason = excluded.disabled_reason, at = excluded.at;

-- name: enable
-- A start tries again what had told us to stop: the configuration may have been put right.
DELETE FROM sexton.channel_state WHERE channel = ANY ($1::text[]);

-- name: release_strays
-- $1: this node. $2: the tokens it really holds. What else is in its name was claimed by a statement whose answer
-- got lost, so it was never sent.
UPDATE sexton.outbox SET state = 'pending', lease_owner = NULL, token = nextval('sexton.token'), attempts = attempts - 1
WHERE lease_owner = $1 AND state = 'sending' AND NOT token = ANY ($2::bigint[]);

-- name: rescue
-- $1: a node that is gone. $2: tokens to leave alone. It may have sent any of these. A mail is sent again under the
-- same Message-ID, behind what is due already; a text message is not, but for a code that somebody waits for, once.
UPDATE sexton.outbox
SET lease_owner = NULL, token = nextval('sexton.token'), not_before = greatest(not_before, sexton.clock()),
    state = CASE WHEN channel = 'sms' AND NOT (kind = 'security' AND attempts <= 1) THEN 'unknown' ELSE 'pending' END,
    settled_at = CASE WHEN channel = 'sms' AND NOT (kind = 'security' AND attempts <= 1) THEN sexton.clock() END,
    last_error = 'its node died while it may have been sending this'
WHERE lease_owner = $1 AND state = 'sending' AND NOT token = ANY ($2::bigint[])
RETURNING id, suite, channel, template, kind, state, last_error;

-- name: sending_for_the_dead
SELECT DISTINCT o.lease_owner AS node, n.name
FROM sexton.outbox o JOIN sexton.node n ON n.incarnation = o.lease_owner
WHERE o.state = 'sending' AND n.dead_at IS NOT NULL;

-- name: counts
-- What is not over, or did not end well, by channel; how long the oldest that could have been sent has waited.
SELECT channel, state, count(*) AS messages,
    coalesce(extract(epoch FROM sexton.clock() - min(not_before) FILTER (WHERE state = 'pending')), 0)::float8 AS oldest_s
FROM sexton.outbox WHERE state IN ('pending', 'sending') GROUP BY channel, state
UNION ALL
SELECT channel, state, count(*), 0 FROM sexton.outbox WHERE state IN ('failed', 'unknown') GROUP BY channel, state;

-- name: expire
-- What nobody could send in time, for example because its channel is not configured. Ten minutes later than whoever
-- delivers would, who then tells of it.
UPDATE sexton.outbox SET state = 'suppressed', settled_at = sexton.clock(), last_error = 'expired'
WHERE id = ANY (ARRAY(
    SELECT id FROM sexton.outbox WHERE state = 'pending' AND expires_at IS NOT NULL
      AND expires_at <= (SELECT sexton.clock()) - interval '10 minutes'
    LIMIT $1 FOR UPDATE SKIP LOCKED));

-- name: remember_keys
-- $1: retention. $2: at most so many. An hour before the row may leave, so that no insert that has seen neither row
-- nor key is still under way when it does.
INSERT INTO sexton.outbox_key (hash)
SELECT sha256(convert_to(o.dedupe_key, 'UTF8')) FROM sexton.outbox o
WHERE o.settled_at < (SELECT sexton.clock()) - $1::interval
  AND NOT EXISTS (SELECT FROM sexton.outbox_key k WHERE k.hash = sha256(convert_to(o.dedupe_key, 'UTF8')))
ORDER BY o.settled_at LIMIT $2
ON CONFLICT DO NOTHING;

-- name: purge_messages
-- $1: retention. $2: at most so many. $3: for how long their keys have to be known.
DELETE FROM sexton.outbox WHERE id = ANY (ARRAY(
    SELECT o.id FROM sexton.outbox o
    JOIN sexton.outbox_key k ON k.hash = sha256(convert_to(o.dedupe_key, 'UTF8'))
    WHERE o.settled_at < (SELECT sexton.clock()) - $1::interval AND k.at < (SELECT sexton.clock()) - $3::interval
    ORDER BY o.settled_at LIMIT $2
    FOR UPDATE OF o SKIP LOCKED));

-- name: purge_keys
DELETE FROM sexton.outbox_key WHERE at < (SELECT sexton.clock()) - $1::interval;
