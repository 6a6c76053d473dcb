-- name: find_orders
-- $1: payments, $2: attempts, $3: the provider's orders.
SELECT DISTINCT order_id FROM payment
WHERE id = ANY ($1::text[]) OR provider_payment_id = ANY ($2::text[]) OR provider_order_id = ANY ($3::text[]);

-- name: lock_payments
-- NO KEY: a checkout may go on referring to what is locked here.
SELECT id, order_id, provider, provider_order_id, provider_payment_id, amount, currency, status, created_at,
    failure_reason
FROM payment WHERE order_id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE;

-- name: lock_orders
SELECT id, order_number, customer_id, status FROM orders WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE;

-- name: lock_locks
-- Whoever deletes expired locks passes over these.
SELECT id FROM inventory_lock WHERE order_id = ANY ($1::text[]) ORDER BY id FOR UPDATE;
