-- name: sales
-- $1, $2: the first and the last day. The newest first. A day that is over has what it came to alone.
SELECT day, currency::text AS currency, final_total, final_count,
    CASE WHEN final_total IS NULL THEN partial_total END AS so_far_total,
    CASE WHEN final_total IS NULL THEN partial_count END AS so_far_count,
    CASE WHEN final_total IS NULL THEN partial_cutoff END AS so_far_until
FROM daily_sales WHERE day BETWEEN $1::date AND $2::date
ORDER BY day DESC, coalesce(final_count, partial_count) DESC, currency;

-- name: stock
-- $1: the threshold of products without one of their own. By the rule of stock_level_check, as things are now.
SELECT p.sku, p.name, CASE WHEN p.available <= 0 THEN 'out' ELSE 'low' END AS state, p.available, p.threshold,
    round(greatest(p.available, 0)::numeric / nullif(p.threshold, 0), 4) AS left, p.reserved, s.alerted_at AS told_at
FROM (
    SELECT p.id, p.sku, p.name, coalesce(p.low_stock_threshold, $1::int) AS threshold,
        p.stock - coalesce(l.pieces, 0) AS available, coalesce(l.pieces, 0) AS reserved
    FROM product p LEFT JOIN (
        SELECT product_id, sum(quantity) AS pieces FROM inventory_lock WHERE expires_at > sexton.clock()
        GROUP BY product_id) l ON l.product_id = p.id
) p
LEFT JOIN stock_alert s ON s.product_id = p.id AND s.state <> 'OK'
WHERE p.available <= 0 OR p.available <= p.threshold
ORDER BY p.available <= 0 DESC, p.available, p.sku;

-- name: reviews
SELECT p.id AS payment, o.order_number, o.status AS order_status, p.currency::text AS currency, p.amount,
    p.failure_reason AS reason, p.provider_payment_id AS provider_payment,
    coalesce((SELECT max(t.at) FROM payment_transition t WHERE t.payment_id = p.id), p.created_at) AS since
FROM payment p JOIN orders o ON o.id = p.order_id
WHERE p.status = 'REVIEW'
ORDER BY since, p.id;
