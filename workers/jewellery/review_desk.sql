-- name: waiting
-- $1: at most so many. `since`: when it came into review; `paid_by`: another payment that its order is paid by.
SELECT p.id AS payment, p.status, p.amount, p.currency, p.failure_reason AS reason,
    p.provider_payment_id AS provider_payment, p.provider_order_id AS provider_order,
    coalesce(c.amount_refunded, 0) AS amount_refunded, p.created_at, o.id AS order, o.order_number,
    o.status AS order_status,
    (SELECT min(b.id) FROM payment b WHERE b.order_id = p.order_id AND b.id <> p.id AND b.status = 'CAPTURED') AS paid_by,
    coalesce((SELECT max(t.at) FROM payment_transition t WHERE t.payment_id = p.id), p.created_at) AS since
FROM payment p JOIN orders o ON o.id = p.order_id LEFT JOIN payment_check c ON c.payment_id = p.id
WHERE p.status = 'REVIEW'
ORDER BY since, p.id LIMIT $1;

-- name: payment
-- $1: its id, or the provider's.
SELECT p.id AS payment, p.status, p.amount, p.currency, p.failure_reason AS reason,
    p.provider_payment_id AS provider_payment, p.provider_order_id AS provider_order,
    coalesce(c.amount_refunded, 0) AS amount_refunded, p.created_at, o.id AS order, o.order_number,
    o.status AS order_status,
    (SELECT min(b.id) FROM payment b WHERE b.order_id = p.order_id AND b.id <> p.id AND b.status = 'CAPTURED') AS paid_by,
    coalesce((SELECT max(t.at) FROM payment_transition t WHERE t.payment_id = p.id), p.created_at) AS since,
    coalesce((SELECT json_agg(json_build_object(
            'at', t.at, 'from', t.old_status, 'to', t.new_status, 'reason', t.reason, 'source', t.source,
            'provider_payment', t.provider_payment_id, 'run', t.run_id) ORDER BY t.id)
        FROM payment_transition t WHERE t.payment_id = p.id), '[]') AS history
FROM payment p JOIN orders o ON o.id = p.order_id LEFT JOIN payment_check c ON c.payment_id = p.id
WHERE p.id = $1 OR p.provider_payment_id = $1
ORDER BY p.id = $1 DESC LIMIT 1;
