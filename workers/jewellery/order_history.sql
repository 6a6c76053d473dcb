-- name: orders
-- $1: ids. What their customers are told of them; an order without a customer has nobody to tell.
SELECT o.id, o.order_number, c.id AS customer_id, o.total_amount, o.currency, o.tracking_number,
    coalesce((SELECT json_agg(json_build_array(i.name, i.quantity, i.unit_price::text) ORDER BY i.name, i.id)
              FROM order_item i WHERE i.order_id = o.id), '[]') AS items
FROM orders o LEFT JOIN customer c ON c.id = o.customer_id
WHERE o.id = ANY ($1::text[]);

-- name: add_history
-- $1: orders, $2: states, $3: since when, $4: who said so. Only what is new comes back.
INSERT INTO order_status_history (order_id, status, at, source)
SELECT order_id, status, at, source
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[]) AS new (order_id, status, at, source)
ORDER BY order_id, status
ON CONFLICT (order_id, status) DO NOTHING
RETURNING order_id, status;

-- name: add_notifications
-- $1: customers, $2: types, $3: titles, $4: messages, $5: metadata, $6: now. The id is given, because a shop's own
-- table need not have a default.
INSERT INTO notification (id, customer_id, type, title, message, metadata, is_read, created_at)
SELECT gen_random_uuid()::text, customer_id, type, title, message, metadata, false, $6::timestamptz
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[])
    AS new (customer_id, type, title, message, metadata);

-- name: add_mails
-- $1: customers, $2: templates, $3: data, $4: keys, $5: the run.
INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, run)
SELECT 'jewellery', customer_id, 'email', template, data, 'transactional', key, $5::bigint
FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::text[]) AS new (customer_id, template, data, key)
WHERE NOT EXISTS (SELECT FROM sexton.outbox_key k WHERE k.hash = sha256(convert_to(new.key, 'UTF8')))
ON CONFLICT (dedupe_key) DO NOTHING;
