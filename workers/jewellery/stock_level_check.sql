-- name: judge
-- $1: now, for locks. $2: the threshold of products without one of their own. $3: the due instant. $4: who was told
-- before or at this instant is told again. All that are low or sold out; `alert`: it has become worse, or goes on.
-- What has become better is kept, and no news: OUT to LOW, LOW to OK.
WITH judged AS (
    SELECT p.id, p.sku, p.name, p.available, p.threshold, s.state AS was, s.alerted_at,
        CASE WHEN p.available <= 0 THEN 'OUT' WHEN p.available <= p.threshold THEN 'LOW' ELSE 'OK' END AS state
    FROM (
        SELECT p.id, p.sku, p.name, coalesce(p.low_stock_threshold, $2::int) AS threshold,
            p.stock - coalesce(l.pieces, 0) AS available
        FROM product p LEFT JOIN (
            SELECT product_id, sum(quantity) AS pieces FROM inventory_lock WHERE expires_at > $1::timestamptz
            GROUP BY product_id) l ON l.product_id = p.id
    ) p LEFT JOIN stock_alert s ON s.product_id = p.id
), news AS (
    SELECT *, state <> 'OK' AND (
        coalesce(was, 'OK') = 'OK' OR state = 'OUT' AND was = 'LOW' OR alerted_at <= $4::timestamptz) AS alert
    FROM judged WHERE state <> 'OK' OR was <> 'OK'
), kept AS (
    INSERT INTO stock_alert AS s (product_id, state, alerted_at)
    SELECT id, state, CASE WHEN alert THEN $3::timestamptz ELSE alerted_at END
    FROM news WHERE alert OR state IS DISTINCT FROM was
    ON CONFLICT (product_id) DO UPDATE SET state = excluded.state, alerted_at = excluded.alerted_at
)
SELECT id, sku, name, available, threshold, state, alert FROM news WHERE state <> 'OK'
ORDER BY state = 'OUT' DESC, available, sku;

-- name: forget
-- What was deleted.
DELETE FROM stock_alert s WHERE NOT EXISTS (SELECT FROM product p WHERE p.id = s.product_id);
