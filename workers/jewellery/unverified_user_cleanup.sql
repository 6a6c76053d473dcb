-- name: page
-- $1: created before. $2, $3: the last of the page before. $4: at most so many.
SELECT id, created_at FROM customer
WHERE NOT is_verified AND created_at < $1::timestamptz AND (created_at, id) > ($2::timestamptz, $3::text)
ORDER BY created_at, id LIMIT $4;

-- name: lock
-- Whoever is being verified, or orders at this moment, is passed over.
SELECT id FROM customer WHERE id = ANY ($1::text[]) AND NOT is_verified ORDER BY id FOR UPDATE SKIP LOCKED;

-- name: delete
-- A payment belongs to an order, so that whoever has paid has ordered.
DELETE FROM customer c WHERE c.id = ANY ($1::text[]) AND NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id);

-- name: with_orders
SELECT count(*) FROM customer c
WHERE c.id = ANY ($1::text[]) AND EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id);
