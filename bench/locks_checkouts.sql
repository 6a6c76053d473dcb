-- name: extend
-- $1: locks, in order; each is kept for another quarter of an hour, expired or not.
UPDATE jewellery.inventory_lock SET expires_at = '2026-11-22 06:45Z'
WHERE id = ANY (ARRAY(SELECT id FROM jewellery.inventory_lock WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE));

-- name: add
INSERT INTO jewellery.inventory_lock (product_id, quantity, expires_at) VALUES ($1, 1, '2026-11-22 06:45Z');
