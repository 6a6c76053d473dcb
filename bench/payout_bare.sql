-- name: pay_all
-- One day for everybody, in the one statement that a careful person would type: the same rows as the job leaves, in the
-- same order, but no ranges, no fence, no check of the total, nothing parked. $1: the day.
WITH RECURSIVE due AS MATERIALIZED (
    SELECT i.id, i.user_id, i.currency, r.daily_rate AS rate,
        least(round(i.principal * r.daily_rate, 2), round(i.principal * r.cap_ratio, 2) - i.paid_total) AS amount
    FROM investment i
    JOIN plan_rate r ON r.plan_id = i.plan_id AND r.valid @> $1::date
    JOIN app_user u ON u.id = i.user_id AND u.status = 'ACTIVE'
    WHERE i.status = 'ACTIVE' AND i.activated_on < $1 AND i.last_accrual_on >= $1
      AND least(round(i.principal * r.daily_rate, 2), round(i.principal * r.cap_ratio, 2) - i.paid_total) > 0
    ORDER BY i.id
), up (id, currency, amount, level, ancestor, path) AS (
    SELECT d.id, d.currency, d.amount, 1, u.referrer_id, ARRAY[d.user_id]
    FROM due d JOIN app_user u ON u.id = d.user_id
    WHERE u.referrer_id IS NOT NULL
    UNION ALL
    SELECT up.id, up.currency, up.amount, up.level + 1, u.referrer_id, up.path || u.id
    FROM up JOIN app_user u ON u.id = up.ancestor
    WHERE up.level < 5 AND u.referrer_id IS NOT NULL AND up.ancestor <> ALL (up.path)
), share AS MATERIALIZED (
    SELECT up.level, up.id, up.ancestor AS beneficiary_id, l.rate, round(up.amount * l.rate, 2) AS amount, up.currency
    FROM up
    JOIN app_user b ON b.id = up.ancestor AND b.status = 'ACTIVE'
    JOIN commission_level l ON l.level = up.level AND l.valid @> $1
    WHERE up.ancestor <> ALL (up.path) AND round(up.amount * l.rate, 2) > 0
    ORDER BY up.level, up.id
), distributed AS (
    INSERT INTO roi_distribution (accrual_date, round, investment_id, user_id, run_id, rate, amount, currency)
    SELECT $1, 1, id, user_id, 1, rate, amount, currency FROM due
), shared AS (
    INSERT INTO commission (accrual_date, round, level, investment_id, beneficiary_id, rate, amount, currency)
    SELECT $1, 1, level, id, beneficiary_id, rate, amount, currency FROM share
), entered AS (
    INSERT INTO ledger (ref, kind, user_id, created_at, amount, currency)
    SELECT $1 || ':' || level || ':' || id, 'COMMISSION'::ledger_kind, beneficiary_id, now(), amount, currency FROM share
    UNION ALL
    SELECT $1 || ':' || id, 'ROI', user_id, now(), amount, currency FROM due
), purse AS MATERIALIZED (
    SELECT user_id, currency, sum(roi) AS roi, sum(commission) AS commission
    FROM (SELECT user_id, currency, amount AS roi, 0.00 AS commission FROM due
          UNION ALL
          SELECT beneficiary_id, currency, 0.00, amount FROM share) c
    GROUP BY user_id, currency
    ORDER BY user_id, currency
), credited AS (
    INSERT INTO wallet AS w (user_id, currency, balance)
    SELECT user_id, currency, roi + commission FROM purse
    ON CONFLICT (user_id, currency) DO UPDATE SET balance = w.balance + excluded.balance
), accrued AS (
    UPDATE investment i
    SET paid_total = i.paid_total + d.amount,
        status = CASE WHEN i.last_accrual_on <= $1 THEN 'COMPLETED' ELSE i.status END
    FROM due d WHERE i.id = d.id
), told AS (
    INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key)
    SELECT 'investment', user_id, 'email', 'roi_digest', jsonb_build_object('date', $1, 'purses', jsonb_object_agg(
        currency, jsonb_build_object('roi', roi::text, 'commission', commission::text))), 'transactional',
        'roi:' || $1 || ':' || user_id
    FROM purse GROUP BY user_id
    ON CONFLICT (dedupe_key) DO NOTHING
)
SELECT count(*) FROM due;

-- name: pay_one
-- The row-at-a-time loop. $1: the day. $2: after this investment.
SELECT i.id, i.user_id, i.currency, i.principal, i.paid_total, i.last_accrual_on, r.daily_rate, r.cap_ratio
FROM investment i JOIN plan_rate r ON r.plan_id = i.plan_id AND r.valid @> $1::date
WHERE i.id > $2::bigint AND i.status = 'ACTIVE' AND i.activated_on < $1 AND i.last_accrual_on >= $1
ORDER BY i.id LIMIT 1;
