-- The statements of a loop that pays one investment after the other.

-- name: due
-- $1: the day. $2: at most so many.
SELECT i.id, i.user_id, i.currency, i.principal, i.paid_total, r.daily_rate, r.cap_ratio
FROM investment.investment i
JOIN investment.plan_rate r ON r.plan_id = i.plan_id AND r.valid @> $1::date
JOIN investment.app_user u ON u.id = i.user_id AND u.status = 'ACTIVE'
WHERE i.status = 'ACTIVE' AND i.activated_on < $1 AND i.last_accrual_on >= $1
ORDER BY i.id LIMIT $2;

-- name: levels
SELECT level, rate FROM investment.commission_level WHERE valid @> $1::date ORDER BY level;

-- name: user
SELECT status, referrer_id FROM investment.app_user WHERE id = $1;

-- name: distribute
INSERT INTO investment.roi_distribution (accrual_date, investment_id, user_id, run_id, rate, amount, currency)
VALUES ($1, $2, $3, 1, $4, $5, $6);

-- name: share
INSERT INTO investment.commission (accrual_date, level, investment_id, beneficiary_id, rate, amount, currency)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: enter
INSERT INTO investment.ledger (ref, kind, user_id, amount, currency) VALUES ($1, $2, $3, $4, $5);

-- name: credit
INSERT INTO investment.wallet AS w (user_id, currency, balance) VALUES ($1, $2, $3)
ON CONFLICT (user_id, currency) DO UPDATE SET balance = w.balance + excluded.balance;

-- name: accrue
UPDATE investment.investment SET paid_total = paid_total + $2 WHERE id = $1;

-- name: tell
INSERT INTO sexton.outbox (suite, recipient, template, data, dedupe_key)
VALUES ('investment', $1::bigint::text, 'roi_digest', $2::text::jsonb, $3) ON CONFLICT (dedupe_key) DO NOTHING;
