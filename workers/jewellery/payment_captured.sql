-- name: event
SELECT body FROM webhook_event WHERE event_no = $1;

-- name: has_payment
-- $1: an attempt, $2: the provider's order.
SELECT EXISTS (SELECT FROM payment WHERE provider_payment_id = $1::text OR provider_order_id = $2::text);

-- name: processed
-- $1: events, $2: now.
UPDATE webhook_event SET processed_at = $2::timestamptz, error = NULL WHERE event_no = ANY ($1::bigint[]);

-- name: not_used
UPDATE webhook_event SET error = $2::text WHERE event_no = $1 RETURNING event_id;
