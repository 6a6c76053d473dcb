-- name: stale
-- $1: open since before, $2: now, $3: at most so many. Those whose turn came first are first.
SELECT p.id, p.provider_order_id, p.provider_payment_id
FROM payment p LEFT JOIN payment_check c ON c.payment_id = p.id
WHERE p.status IN ('PENDING', 'AUTHORIZED') AND p.provider = 'razorpay' AND p.created_at < $1::timestamptz
    AND coalesce(c.next_check_at, '-infinity') <= $2::timestamptz
ORDER BY coalesce(c.next_check_at, p.created_at), p.id
LIMIT $3;

-- name: paused_until
SELECT paused_until FROM provider_pause WHERE provider = 'razorpay';

-- name: pause
-- $1: now, $2: as long as was asked for, null: not said, $3: then at first so long, doubled each time, $4: at most.
INSERT INTO provider_pause AS p (provider, refusals, paused_until)
VALUES ('razorpay', 1, $1::timestamptz + coalesce($2::interval, $3::interval))
ON CONFLICT (provider) DO UPDATE SET refusals = p.refusals + 1,
    paused_until = $1::timestamptz
        + coalesce($2::interval, least($3::interval * 2 ^ least(p.refusals, 20), $4::interval));

-- name: unpause
DELETE FROM provider_pause WHERE provider = 'razorpay';

-- name: forget_events
-- $1: received before. Only those that were worked; a thousand a pass keeps up with any shop.
DELETE FROM webhook_event WHERE event_no = ANY (ARRAY(
    SELECT event_no FROM webhook_event WHERE received_at < $1::timestamptz AND processed_at IS NOT NULL
    ORDER BY received_at LIMIT 1000));
