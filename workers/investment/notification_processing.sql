-- name: any_stale
SELECT id FROM notification
WHERE fanned_out_at IS NULL AND fanned_out_to IS NULL AND created_at < $1::timestamptz LIMIT 1;

-- name: stale
-- $1: the instant before which a message that nobody has been sent yet is news no more. $2: at most so many.
WITH passed AS (
    UPDATE notification SET fanned_out_at = sexton.clock()
    WHERE id = ANY (ARRAY(
        SELECT id FROM notification
        WHERE fanned_out_at IS NULL AND fanned_out_to IS NULL AND created_at < $1::timestamptz
        ORDER BY id LIMIT $2 FOR UPDATE))
    RETURNING 1
)
SELECT count(*) FROM passed;

-- name: any_personal
SELECT id FROM notification WHERE fanned_out_at IS NULL AND user_id IS NOT NULL LIMIT 1;

-- name: personal
-- $1: at most so many. Messages to one person each; not to people who are gone.
WITH page AS MATERIALIZED (
    SELECT id, user_id, kind, channel, title, body FROM notification
    WHERE fanned_out_at IS NULL AND user_id IS NOT NULL
    ORDER BY id LIMIT $1 FOR UPDATE
), written AS (
    INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, run)
    SELECT 'investment', n.user_id::text, n.channel, 'notification',
        jsonb_build_object('title', n.title, 'body', n.body), n.kind, 'note:' || n.id, $2::bigint
    FROM page n JOIN app_user u ON u.id = n.user_id AND u.status <> 'DELETED'
    WHERE (n.channel <> 'sms' OR u.phone IS NOT NULL)
        AND NOT EXISTS (SELECT FROM sexton.outbox_key k WHERE k.hash = sha256(convert_to('note:' || n.id, 'UTF8')))
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1
), done AS (
    UPDATE notification SET fanned_out_at = sexton.clock() FROM page WHERE notification.id = page.id
)
SELECT count(*) AS seen, (SELECT count(*) FROM written) AS written FROM page;

-- name: next_to_all
SELECT id FROM notification WHERE fanned_out_at IS NULL AND user_id IS NULL ORDER BY id LIMIT 1;

-- name: to_all
-- $1: the message, $2: users looked at. To every active person who was there when it was
-- written; the page after the last is shorter than asked for, and ends the message.
WITH message AS MATERIALIZED (
    SELECT id, kind, channel, title, body, created_at, coalesce(fanned_out_to, 0) AS reached FROM notification
    WHERE id = $1 AND fanned_out_at IS NULL FOR UPDATE
), page AS MATERIALIZED (
    SELECT u.id, u.status, u.phone, u.created_at FROM app_user u
    WHERE u.id > (SELECT reached FROM message)
    ORDER BY u.id LIMIT $2
), written AS (
    INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, run)
    SELECT 'investment', u.id::text, m.channel, 'notification',
        jsonb_build_object('title', m.title, 'body', m.body), m.kind, 'sys:' || m.id || ':' || u.id, $3::bigint
    FROM page u CROSS JOIN message m
    WHERE u.status = 'ACTIVE' AND u.created_at <= m.created_at AND (m.channel <> 'sms' OR u.phone IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM sexton.outbox_key k WHERE k.hash = sha256(convert_to('sys:' || m.id || ':' || u.id, 'UTF8')))
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1
), seen AS (
    SELECT count(*) AS seen, max(id) AS last FROM page
), done AS (
    UPDATE notification n SET fanned_out_to = coalesce(seen.last, n.fanned_out_to),
        fanned_out_at = CASE WHEN seen.seen < $2 THEN sexton.clock() END
    FROM seen WHERE n.id = (SELECT id FROM message)
)
SELECT count(*) FROM written;

-- name: retry_failed
-- $1: failed since, $2: and before, $3: at most so many. A message that was refused for now until its tries were
-- over is left once more, with a key of its own. One rejected at once is not, nor a code asked for hours ago.
WITH again AS (
    SELECT o.* FROM sexton.outbox o
    WHERE o.suite = 'investment' AND o.state = 'failed' AND o.failures > 1 AND o.kind <> 'security'
        AND o.settled_at >= $1::timestamptz AND o.settled_at < $2::timestamptz
        AND (o.expires_at IS NULL OR o.expires_at > $2::timestamptz)
        AND o.dedupe_key NOT LIKE '%:retry'
        AND NOT EXISTS (SELECT FROM sexton.outbox r WHERE r.dedupe_key = o.dedupe_key || ':retry')
        AND NOT EXISTS (
            SELECT FROM sexton.outbox_key k WHERE k.hash = sha256(convert_to(o.dedupe_key || ':retry', 'UTF8')))
    ORDER BY o.settled_at, o.id LIMIT $3
), written AS (
    INSERT INTO sexton.outbox (suite, recipient, address, channel, template, data, kind, dedupe_key, expires_at, run)
    SELECT suite, recipient, address, channel, template, data, kind, dedupe_key || ':retry', expires_at, $4::bigint
    FROM again
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM written;

-- name: account
-- $1: since. What became of this suite's messages since then, and what waits.
SELECT channel, state, count(*) AS messages, min(created_at) FILTER (WHERE state = 'pending') AS oldest
FROM (
    SELECT channel, state, created_at FROM sexton.outbox WHERE suite = 'investment' AND settled_at >= $1::timestamptz
    UNION ALL
    SELECT channel, state, created_at FROM sexton.outbox
    WHERE suite = 'investment' AND state = 'pending' AND kind IN ('security', 'alert')
    UNION ALL
    SELECT channel, state, created_at FROM sexton.outbox
    WHERE suite = 'investment' AND state = 'pending' AND kind IN ('transactional', 'promotional')
) o
GROUP BY channel, state ORDER BY channel, state;
