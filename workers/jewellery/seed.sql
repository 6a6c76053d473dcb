-- Sample data: customers $1 < n <= $2, as of $3. What somebody is like is drawn from hashes of their number, so that any
-- size has the same beginning: hashint8extended(number, which) & 1023 is a draw of 0 to 1023.

-- name: counts
SELECT (SELECT count(*) FROM jewellery.product) AS products, (SELECT count(*) FROM jewellery.customer) AS customers,
    (SELECT count(*) FROM jewellery.orders) AS orders, (SELECT count(*) FROM jewellery.payment) AS payments,
    (SELECT count(*) FROM jewellery.inventory_lock) AS locks,
    (SELECT count(*) FROM jewellery.customer WHERE id !~ '^sample-[0-9]+$') AS strangers,
    (SELECT coalesce(max(substr(id, 8)::bigint), 0) FROM jewellery.customer WHERE id ~ '^sample-[0-9]+$') AS last_customer;

-- name: now
SELECT sexton.clock();

-- name: add_products
-- $1: SKUs, $2: names, $3: prices. A few are low or sold out; every seventh has a threshold of its own.
INSERT INTO jewellery.product (id, sku, name, stock, low_stock_threshold)
SELECT 'sample-' || sku, sku, name,
    CASE nth % 13 WHEN 5 THEN 0 WHEN 9 THEN 3 ELSE 8 + (hashint8extended(nth, 1) & 63) END,
    CASE WHEN nth % 7 = 0 THEN 10 END
FROM unnest($1::text[], $2::text[], $3::int[]) WITH ORDINALITY AS new (sku, name, price, nth)
ON CONFLICT DO NOTHING;

-- name: add_customers
-- $4, $5: first and last names. One in eleven never verified the address, one in fifty has none.
INSERT INTO jewellery.customer (id, name, email, phone, is_verified, status, created_at)
SELECT 'sample-' || n, ($4::text[])[1 + (hashint8extended(n, 1) & 32767) % cardinality($4::text[])] || ' '
        || ($5::text[])[1 + (hashint8extended(n, 2) & 32767) % cardinality($5::text[])],
    CASE WHEN n % 50 <> 0 THEN 'customer.' || n || '@example.com' END, '+9198' || lpad((n % 100000000)::text, 8, '0'),
    n % 11 <> 0, CASE WHEN n % 97 = 0 THEN 'SUSPENDED' ELSE 'ACTIVE' END,
    $3::timestamptz - interval '61 days' - (hashint8extended(n, 3) & 511) * interval '1 day'
FROM generate_series($1::bigint + 1, $2::bigint) n;

-- name: add_histories
-- Before the orders: what is in the history already is told to nobody. Three orders each, none of one in eleven.
INSERT INTO jewellery.order_status_history (order_id, status, at, source)
SELECT 'sample-' || n || '-' || k, s.status, $3::timestamptz, 'shop'
FROM generate_series($1::bigint + 1, $2::bigint) n, generate_series(1, 3) k, unnest(ARRAY[
    'PLACED', 'CONFIRMED', 'PROCESSING', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'RETURN_APPROVED']) AS s (status)
WHERE n % 11 <> 0;

-- name: add_orders
-- Most of them lately. The young ones wait for money, the old ones have arrived; one in twelve was cancelled.
INSERT INTO jewellery.orders (id, order_number, customer_id, status, total_amount, tracking_number, created_at)
SELECT 'sample-' || n || '-' || k, 'ORA-' || (3 * n + k + 100000), 'sample-' || n, s.status, 0,
    CASE WHEN s.status IN ('SHIPPED', 'DELIVERED') THEN 'AWB' || (3 * n + k + 7000000) END, $3::timestamptz - a.age
FROM generate_series($1::bigint + 1, $2::bigint) n CROSS JOIN generate_series(1, 3) k
CROSS JOIN LATERAL (SELECT interval '1 minute'
    + power((hashint8extended(3 * n + k, 4) & 1023) / 1023.0, 2) * interval '60 days' AS age) a
CROSS JOIN LATERAL (SELECT CASE
    WHEN (3 * n + k) % 12 = 0 THEN 'CANCELLED' WHEN a.age < interval '2 hours' THEN 'PLACED'
    WHEN a.age < interval '12 hours' THEN 'CONFIRMED' WHEN a.age < interval '2 days' THEN 'PROCESSING'
    WHEN a.age < interval '6 days' THEN 'SHIPPED' WHEN (3 * n + k) % 40 = 1 THEN 'RETURN_APPROVED'
    ELSE 'DELIVERED' END AS status) s
WHERE n % 11 <> 0;

-- name: add_items
-- $4: SKUs, $5: prices. One to three different pieces.
INSERT INTO jewellery.order_item (order_id, product_id, name, quantity, unit_price)
SELECT o.id, p.id, p.name, 1 + (hashtextextended(o.id, p.nth) & 7 = 0)::int, p.price
FROM jewellery.orders o
CROSS JOIN LATERAL (
    SELECT 'sample-' || sku AS id, (SELECT name FROM jewellery.product r WHERE r.sku = s.sku) AS name, price,
        row_number() OVER (ORDER BY hashtextextended(sku, hashtextextended(o.id, 0))) AS nth
    FROM unnest($4::text[], $5::int[]) AS s (sku, price)) p
WHERE p.nth <= 1 + (hashtextextended(o.id, 2) & 3) % 3 AND o.customer_id = ANY (ARRAY(
    SELECT 'sample-' || n FROM generate_series($1::bigint + 1, $2::bigint) n)) AND $3::timestamptz IS NOT NULL;

-- name: add_totals
UPDATE jewellery.orders o SET total_amount = t.total
FROM (SELECT order_id, sum(quantity * unit_price) AS total FROM jewellery.order_item GROUP BY order_id) t
WHERE t.order_id = o.id AND o.customer_id = ANY (ARRAY(
    SELECT 'sample-' || n FROM generate_series($1::bigint + 1, $2::bigint) n)) AND $3::timestamptz IS NOT NULL;

-- name: add_payments
-- Of orders that were cancelled, one in eight was paid all the same.
INSERT INTO jewellery.payment (id, order_id, provider_order_id, provider_payment_id, amount, status, failure_reason,
    created_at)
SELECT o.id, o.id, 'order_' || replace(o.id, '-', ''),
    CASE WHEN o.status <> 'PLACED' THEN 'pay_' || replace(o.id, '-', '') END, o.total_amount,
    CASE o.status WHEN 'PLACED' THEN 'PENDING' WHEN 'CANCELLED' THEN CASE WHEN late THEN 'REVIEW' ELSE 'FAILED' END
        WHEN 'RETURN_APPROVED' THEN 'REFUNDED' ELSE 'CAPTURED' END,
    CASE o.status WHEN 'CANCELLED' THEN CASE WHEN late THEN 'the order is CANCELLED' ELSE 'declined by the bank' END END,
    o.created_at + interval '20 seconds'
FROM jewellery.orders o CROSS JOIN LATERAL (SELECT hashtextextended(o.id, 8) & 7 = 0 AS late) h
WHERE o.customer_id = ANY (ARRAY(SELECT 'sample-' || n FROM generate_series($1::bigint + 1, $2::bigint) n))
    AND $3::timestamptz IS NOT NULL;

-- name: add_reviews
-- How payments came to wait for a person. No run of this daemon's: 0.
INSERT INTO jewellery.payment_transition (payment_id, provider_payment_id, old_status, new_status, reason, source,
    run_id, at)
SELECT p.id, p.provider_payment_id, 'FAILED', 'REVIEW', p.failure_reason, 'webhook', 0,
    least(p.created_at + interval '1 day', $3::timestamptz)
FROM jewellery.payment p JOIN jewellery.orders o ON o.id = p.order_id
WHERE p.status = 'REVIEW' AND o.customer_id = ANY (ARRAY(
    SELECT 'sample-' || n FROM generate_series($1::bigint + 1, $2::bigint) n));

-- name: add_locks
-- Of orders that wait for money; and of checkouts that nobody finished, most of which have expired.
INSERT INTO jewellery.inventory_lock (product_id, order_id, quantity, expires_at)
SELECT i.product_id, o.id, i.quantity, o.created_at + interval '15 minutes'
FROM jewellery.orders o JOIN jewellery.order_item i ON i.order_id = o.id
WHERE o.status = 'PLACED' AND o.customer_id = ANY (ARRAY(
    SELECT 'sample-' || n FROM generate_series($1::bigint + 1, $2::bigint) n))
UNION ALL
SELECT p.id, NULL, 1, $3::timestamptz + interval '10 minutes' - (hashint8extended(n, 5) & 255) * interval '1 minute'
FROM generate_series($1::bigint + 1, $2::bigint) n
JOIN LATERAL (SELECT id FROM jewellery.product WHERE id LIKE 'sample-%'
    ORDER BY hashtextextended(id, n) LIMIT 1) p ON true
WHERE n % 4 = 0;

-- name: add_notifications
-- Two each, up to a hundred days old; two in three were read.
INSERT INTO jewellery.notification (customer_id, type, title, message, is_read, created_at)
SELECT 'sample-' || n, 'ORDER_DELIVERED', 'Order Delivered', 'Your order has been delivered. Please confirm receipt.',
    (n + k) % 3 <> 0, $3::timestamptz - (hashint8extended(2 * n + k, 6) & 1023) / 1023.0 * interval '100 days'
FROM generate_series($1::bigint + 1, $2::bigint) n, generate_series(1, 2) k;

-- name: add_password_resets
INSERT INTO jewellery.password_reset (token_hash, customer_id, expires_at)
SELECT encode(sha256(convert_to('sample-' || n, 'UTF8')), 'hex'), 'sample-' || n,
    $3::timestamptz + interval '1 hour' - (hashint8extended(n, 7) & 255) * interval '1 minute'
FROM generate_series($1::bigint + 1, $2::bigint) n
WHERE n % 9 = 0;

-- name: analyze
ANALYZE jewellery.product, jewellery.customer, jewellery.orders, jewellery.order_item, jewellery.payment,
    jewellery.inventory_lock, jewellery.notification, jewellery.password_reset;
