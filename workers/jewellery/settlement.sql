-- name: save_payments
-- $1: payments, $2: new states, $3: the attempts that decided, $4: reasons.
UPDATE payment p SET status = new.status, provider_payment_id = new.attempt, failure_reason = new.reason
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS new (id, status, attempt, reason)
WHERE p.id = new.id;

-- name: add_payments
-- Money that came beside another payment. $1: ids, $2: orders, $3: providers, $4: the provider's orders, $5: attempts,
-- $6: amounts, $7: currencies, $8: why a person has to look, $9: now.
INSERT INTO payment (id, order_id, provider, provider_order_id, provider_payment_id, amount, currency, status,
    failure_reason, created_at)
SELECT id, order_id, provider, provider_order, attempt, amount, currency, 'REVIEW', reason, $9::timestamptz
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::text[], $8::text[])
    AS new (id, order_id, provider, provider_order, attempt, amount, currency, reason);

-- name: add_transitions
-- $1: payments, $2: attempts, $3: old states, $4: new states, $5: reasons, $6: source, $7: run, $8: now.
INSERT INTO payment_transition (payment_id, provider_payment_id, old_status, new_status, reason, source, run_id, at)
SELECT payment_id, attempt, old, new, reason, $6::text, $7::bigint, $8::timestamptz
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
    AS step (payment_id, attempt, old, new, reason, n)
ORDER BY n;

-- name: keep_refunds
-- $1: payments, $2: what was given back so far, $3: now. An older answer does not take anything back.
INSERT INTO payment_check AS c (payment_id, next_check_at, amount_refunded)
SELECT payment_id, $3::timestamptz, refunded
FROM unnest($1::text[], $2::numeric[]) AS new (payment_id, refunded)
ORDER BY payment_id
ON CONFLICT (payment_id) DO UPDATE SET amount_refunded = greatest(c.amount_refunded, excluded.amount_refunded);

-- name: confirm_orders
UPDATE orders SET status = 'CONFIRMED' WHERE id = ANY ($1::text[]) AND status = 'PLACED';

-- name: take_stock
-- $1: orders. What was sold leaves the stock, whether its lock is still there or not; what there was too little of
-- comes back. A product that was deleted has no stock.
WITH sold AS (
    SELECT product_id, sum(quantity)::int AS pieces, string_agg(DISTINCT order_id, ', ' ORDER BY order_id) AS orders
    FROM order_item WHERE order_id = ANY ($1::text[]) AND product_id IS NOT NULL
    GROUP BY product_id
), there AS MATERIALIZED (
    SELECT p.id, p.sku, p.stock, sold.pieces, sold.orders
    FROM product p JOIN sold ON sold.product_id = p.id
    ORDER BY p.id FOR NO KEY UPDATE OF p
), taken AS (
    UPDATE product p SET stock = greatest(there.stock - there.pieces, 0) FROM there WHERE p.id = there.id
)
SELECT id, sku, stock, pieces, orders FROM there WHERE stock < pieces ORDER BY id;

-- name: drop_locks
DELETE FROM inventory_lock WHERE order_id = ANY ($1::text[]);
