-- Open troubles: recorded, told, closed. One small table; a node asks for it once a minute.

-- name: open
SELECT key, kind, subject FROM sexton.alert WHERE closed_at IS NULL;

-- name: record
-- In the order of the keys, so that two nodes never wait for each other. A closed one begins anew; what was told of
-- it an hour ago or less still counts.
INSERT INTO sexton.alert AS a (key, kind, subject, detail, run, opened_at, last_at, count)
SELECT n.key, n.kind, n.subject, n.detail, n.run, n.first_at, n.last_at, n.count
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::timestamptz[], $8::bigint[])
    AS n (key, kind, subject, detail, run, first_at, last_at, count)
ORDER BY n.key
ON CONFLICT (key) DO UPDATE
SET detail = excluded.detail, run = excluded.run, last_at = greatest(a.last_at, excluded.last_at),
    opened_at = CASE WHEN a.closed_at IS NULL THEN a.opened_at ELSE excluded.opened_at END,
    count = CASE WHEN a.closed_at IS NULL THEN a.count ELSE 0 END + excluded.count,
    told_count = CASE WHEN a.closed_at IS NULL THEN a.told_count ELSE 0 END,
    closed_at = NULL;

-- name: due
-- Open and not told in full, at most one message for each in $1. $2: at most so many. The lock keeps other nodes off.
SELECT key, kind, subject, detail, run, opened_at, last_at, count, told_count, sexton.clock() AS now
FROM sexton.alert
WHERE closed_at IS NULL AND count > told_count AND (told_at IS NULL OR told_at <= sexton.clock() - $1::interval)
ORDER BY key LIMIT $2
FOR UPDATE SKIP LOCKED;

-- name: told
UPDATE sexton.alert SET told_at = sexton.clock(), told_count = count WHERE key = ANY ($1::text[]);

-- name: close
-- $1: keys of what is known to be over. Of a job: the run in question, or a newer one, has succeeded since. Of a
-- channel: something was sent by it since. Rows that another node is closing are its business.
UPDATE sexton.alert o SET closed_at = sexton.clock()
WHERE o.key = ANY (ARRAY(
    SELECT a.key FROM sexton.alert a
    WHERE a.closed_at IS NULL AND (
        a.key = ANY ($1::text[])
        OR a.kind IN ('failed', 'forsaken', 'held', 'missed') AND (
            EXISTS (SELECT FROM sexton.run r
                    WHERE r.id = a.run AND r.state = 'succeeded' AND r.finished_at > a.last_at)
            OR a.last_at < (SELECT r.finished_at FROM sexton.run r WHERE r.job = a.subject AND r.state = 'succeeded'
                            ORDER BY r.due_at DESC LIMIT 1))
        OR a.kind = 'away' AND EXISTS (SELECT FROM sexton.outbox m
            WHERE m.settled_at > a.last_at AND m.channel = a.subject AND m.state = 'sent'))
    ORDER BY a.key
    FOR UPDATE SKIP LOCKED))
RETURNING o.key, o.kind, o.subject, o.detail, o.run, o.opened_at, o.last_at, o.count, o.told_count, o.closed_at AS now;

-- name: leave
-- $1 to $5: a message each. $6: for how long it is news.
INSERT INTO sexton.outbox (channel, address, template, data, kind, dedupe_key, expires_at)
SELECT m.channel, m.address, m.template, m.data::jsonb, 'alert', m.key, sexton.clock() + $6::interval
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS m (channel, address, template, data, key)
ON CONFLICT (dedupe_key) DO NOTHING;
