-- name: load
-- {rows} locks of 1,000 products, all of which expired in the days before 22 November 2026.
INSERT INTO jewellery.product (id, sku, name, stock)
SELECT n::text, 'sku-' || n, 'Product ' || n, 100000 FROM generate_series(1, 1000) n;
INSERT INTO jewellery.inventory_lock (id, product_id, quantity, expires_at)
SELECT n::text, (1 + n % 1000)::text, 1, timestamptz '2026-11-22 06:00Z' - ({rows} - n) * interval '100 milliseconds'
FROM generate_series(1, {rows}) n;

-- name: delete_all
DELETE FROM jewellery.inventory_lock WHERE expires_at < $1::timestamptz;

-- name: left
SELECT count(*) FROM jewellery.inventory_lock WHERE expires_at < $1::timestamptz;

-- name: stop
NOTIFY stop;
