-- Sample data. What is small is added by statements that leave alone what is there; the rest comes by COPY.

-- name: counts
SELECT (SELECT count(*) FROM investment.app_user) AS people,
    (SELECT count(*) FROM investment.app_user WHERE email NOT LIKE '%.' || id || '@example.com') AS strangers,
    (SELECT coalesce(max(id), 0) FROM investment.app_user) AS last_person,
    (SELECT coalesce(max(id), 0) FROM investment.investment) AS last_investment;

-- name: now
SELECT sexton.clock();

-- name: add_plans
INSERT INTO investment.plan (id, name, duration_days, min_amount, max_amount)
SELECT * FROM unnest($1::int[], $2::text[], $3::int[], $4::numeric[], $5::numeric[])
ON CONFLICT DO NOTHING;

-- name: add_rates
-- $5, $6: when the old rates began, and when the present ones did.
INSERT INTO investment.plan_rate (plan_id, valid, daily_rate, cap_ratio)
SELECT id, v.valid, CASE WHEN v.old THEN old_rate ELSE rate END, cap
FROM unnest($1::int[], $2::numeric[], $3::numeric[], $4::numeric[]) AS p (id, rate, old_rate, cap)
CROSS JOIN (VALUES (daterange($5::date, $6::date), true), (daterange($6, NULL), false)) AS v (valid, old)
WHERE NOT EXISTS (SELECT FROM investment.plan_rate r WHERE r.plan_id = p.id);

-- name: add_levels
INSERT INTO investment.commission_level (level, valid, rate)
SELECT level, daterange($2::date, NULL), rate
FROM unnest($1::numeric[]) WITH ORDINALITY AS l (rate, level)
WHERE NOT EXISTS (SELECT FROM investment.commission_level);

-- name: add_settings
INSERT INTO investment.system_setting (key, value, class, updated_at)
VALUES ('support_email', '"support@example.com"', 'config', $1),
       ('banner', '{"text": "New plans from next week"}', 'ephemeral', $1::timestamptz - interval '200 days')
ON CONFLICT (key) DO NOTHING;

-- name: go_on_numbering
SELECT setval(pg_get_serial_sequence('investment.plan', 'id'), (SELECT max(id) FROM investment.plan)),
    setval(pg_get_serial_sequence('investment.app_user', 'id'), (SELECT max(id) FROM investment.app_user)),
    setval(pg_get_serial_sequence('investment.investment', 'id'), (SELECT max(id) FROM investment.investment));

-- name: analyze
ANALYZE investment.app_user, investment.plan, investment.plan_rate, investment.commission_level, investment.investment,
    investment.ledger, investment.wallet, investment.session, investment.notification;
