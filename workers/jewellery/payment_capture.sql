-- name: known
-- $1: a payment, $2: an attempt, $3: a provider's order; null where not known. All payments of the order concerned.
SELECT p.id, p.order_id, p.provider, p.provider_order_id, p.provider_payment_id, p.amount, p.currency, p.status,
    p.created_at, p.failure_reason, o.order_number, o.customer_id, o.status AS order_status
FROM payment p JOIN orders o ON o.id = p.order_id
WHERE p.order_id IN (
    SELECT order_id FROM payment WHERE id = $1::text OR provider_payment_id = $2::text OR provider_order_id = $3::text)
ORDER BY p.created_at, p.id;
