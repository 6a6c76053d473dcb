-- name: day
-- The day that has ended last, and the midnight after it, when it is due to be paid.
SELECT d - 1 AS day, d::timestamp AT TIME ZONE 'Asia/Kolkata' AS due
FROM (SELECT (sexton.clock() AT TIME ZONE 'Asia/Kolkata')::date AS d) t;

-- name: ended
SELECT state, error FROM sexton.run WHERE id = $1 AND finished_at IS NOT NULL;

-- name: result
SELECT result FROM sexton.run WHERE id = $1;

-- name: effects
-- $1: the day. How many rows of each kind there are, and the sum of the hashes of what they say.
WITH said (what, text) AS (
    SELECT 'distributions', (accrual_date, round, investment_id, user_id, rate, amount, currency)::text
    FROM investment.roi_distribution
    UNION ALL
    SELECT 'commissions', (accrual_date, round, level, investment_id, beneficiary_id, rate, amount, currency)::text
    FROM investment.commission
    UNION ALL
    SELECT 'ledger entries', (ref, kind, status, user_id, amount, currency)::text
    FROM investment.ledger WHERE ref >= $1::date::text AND ref < ($1 + 1)::text
    UNION ALL
    SELECT 'wallets', (user_id, currency, balance)::text FROM investment.wallet
    UNION ALL
    SELECT 'paid totals', (id, paid_total, status)::text FROM investment.investment
    UNION ALL
    SELECT 'messages', (suite, recipient, channel, template, data, kind, dedupe_key)::text FROM sexton.outbox
)
SELECT what, count(*) AS rows, sum(hashtextextended(text, 0))::text AS sum FROM said GROUP BY what ORDER BY what;

-- name: paid
-- $1: up to this investment. What was paid to it and those before, and to their uplines.
SELECT (SELECT count(*) FROM investment.roi_distribution WHERE investment_id <= $1) AS investments,
    (SELECT sum(amount) FROM investment.roi_distribution WHERE investment_id <= $1)::text AS roi,
    (SELECT sum(amount) FROM investment.commission WHERE investment_id <= $1)::text AS commission;
