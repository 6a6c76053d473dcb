-- name: add_notification
-- $1: customer, $2: title, $3: message, $4: order, $5: its number, $6: now.
INSERT INTO notification (id, customer_id, type, title, message, metadata, is_read, created_at)
SELECT gen_random_uuid()::text, c.id, 'PAYMENT_FAILED', $2::text, $3::text,
    jsonb_build_object('orderId', $4::text, 'orderNumber', $5::text), false, $6::timestamptz
FROM customer c WHERE c.id = $1;
