-- name: orders
-- $1: so many orders, each of one piece that is reserved, with a payment that has been open for an hour.
WITH made AS (
    INSERT INTO jewellery.orders (id, order_number, customer_id, total_amount, created_at)
    SELECT 'o' || n, 'ORA-' || n, 'c' || n % 1000, 499.50, sexton.clock() - interval '1 hour'
    FROM generate_series(1, $1::int) n RETURNING id
), items AS (
    INSERT INTO jewellery.order_item (order_id, product_id, name, quantity, unit_price)
    SELECT 'o' || n, 'ring' || n % 500, 'Ring', 1, 499.50 FROM generate_series(1, $1::int) n
), locks AS (
    INSERT INTO jewellery.inventory_lock (product_id, order_id, quantity, expires_at)
    SELECT 'ring' || n % 500, 'o' || n, 1, sexton.clock() + interval '1 day' FROM generate_series(1, $1::int) n
)
INSERT INTO jewellery.payment (id, order_id, provider_order_id, amount, created_at)
SELECT 'p' || n, 'o' || n, 'order_p' || n, 499.50, sexton.clock() - interval '1 hour' FROM generate_series(1, $1::int) n;

-- name: people
INSERT INTO jewellery.customer (id, name, email) SELECT 'c' || n, 'Asha', 'c' || n || '@example.org' FROM generate_series(0, 999) n;

-- name: products
INSERT INTO jewellery.product (id, sku, name, stock) SELECT 'ring' || n, 'sku-' || n, 'Ring', 1000000 FROM generate_series(0, 499) n;

-- name: told
-- Of orders that were placed an hour ago, their customers know.
DELETE FROM jewellery.order_status_queue;

-- name: confirmed
SELECT count(*) FROM jewellery.orders o JOIN jewellery.order_status_history h
    ON h.order_id = o.id AND h.status = 'CONFIRMED' WHERE o.status = 'CONFIRMED';
