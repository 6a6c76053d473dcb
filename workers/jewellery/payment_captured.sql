-- name: events
-- $1: from this one on, $2: so many.
SELECT event_no, body FROM webhook_event WHERE event_no >= $1 ORDER BY event_no LIMIT $2;

-- name: known
-- $1: attempts, $2: the provider's orders. Which of them the shop has a payment for.
SELECT provider_payment_id AS attempt, provider_order_id AS provider_order FROM payment
WHERE provider_payment_id = ANY ($1::text[]) OR provider_order_id = ANY ($2::text[]);

-- name: processed
-- $1: events, $2: now.
UPDATE webhook_event SET processed_at = $2::timestamptz, error = NULL WHERE event_no = ANY ($1::bigint[]);

-- name: not_used
UPDATE webhook_event SET error = $2::text WHERE event_no = $1 RETURNING event_id;
