-- What the payout is measured against: one statement for everybody, and a loop over single rows. Both leave the rows
-- that the job leaves, but have no ranges, no fence, no check of the total, and park nothing.

-- name: settings
-- All sorts and hashes in memory, and read the users through instead of looking them up: as the job has it.
SELECT set_config('search_path', 'investment', false), set_config('work_mem', '1GB', false),
    set_config('enable_nestloop', 'off', false), set_config('plan_cache_mode', 'force_custom_plan', false);

-- name: pay_all
-- One day for everybody, as fast as one statement can: every user read once, rows in the order of their keys, one
-- update of each wallet and investment. $1: the day.
WITH due AS MATERIALIZED (
    SELECT i.id, i.currency, r.daily_rate AS rate,
        least(round(i.principal * r.daily_rate, 2), round(i.principal * r.cap_ratio, 2) - i.paid_total) AS amount,
        i.last_accrual_on <= $1
            OR i.paid_total + round(i.principal * r.daily_rate, 2) >= round(i.principal * r.cap_ratio, 2) AS over, u.*
    FROM investment i
    JOIN plan_rate r ON r.plan_id = i.plan_id AND r.valid @> $1::date
    JOIN upline_chain u ON u.user_id = i.user_id AND u.status = 'ACTIVE'
    WHERE i.status = 'ACTIVE' AND i.activated_on < $1 AND i.last_accrual_on >= $1
      AND least(round(i.principal * r.daily_rate, 2), round(i.principal * r.cap_ratio, 2) - i.paid_total) > 0
    ORDER BY i.id
), level AS MATERIALIZED (
    SELECT level, rate FROM commission_level WHERE valid @> $1
), share AS MATERIALIZED (
    SELECT * FROM (
        SELECT 1 AS level, id, first_id AS beneficiary_id, l.rate, round(amount * l.rate, 2) AS amount, currency
        FROM due JOIN level l ON l.level = 1 WHERE first_active
        UNION ALL
        SELECT 2, id, second_id, l.rate, round(amount * l.rate, 2), currency
        FROM due JOIN level l ON l.level = 2 WHERE second_active
        UNION ALL
        SELECT 3, id, third_id, l.rate, round(amount * l.rate, 2), currency
        FROM due JOIN level l ON l.level = 3 WHERE third_active
        UNION ALL
        SELECT 4, id, fourth_id, l.rate, round(amount * l.rate, 2), currency
        FROM due JOIN level l ON l.level = 4 WHERE fourth_active
        UNION ALL
        SELECT 5, id, fifth_id, l.rate, round(amount * l.rate, 2), currency
        FROM due JOIN level l ON l.level = 5 WHERE fifth_active
    ) s
    WHERE amount > 0
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
    SELECT user_id, currency, coalesce(sum(amount) FILTER (WHERE own), 0) AS roi,
        coalesce(sum(amount) FILTER (WHERE NOT own), 0) AS commission
    FROM (SELECT user_id, currency, amount, true AS own FROM due
          UNION ALL
          SELECT beneficiary_id, currency, amount, false FROM share) c
    GROUP BY user_id, currency
    ORDER BY user_id, currency
), credited AS (
    UPDATE wallet w SET balance = w.balance + p.roi + p.commission
    FROM purse p WHERE w.user_id = p.user_id AND w.currency = p.currency
), opened AS (
    INSERT INTO wallet (user_id, currency, balance)
    SELECT user_id, currency, roi + commission FROM purse p
    WHERE NOT EXISTS (SELECT FROM wallet w WHERE w.user_id = p.user_id AND w.currency = p.currency)
), accrued AS (
    UPDATE investment i
    SET paid_total = i.paid_total + d.amount, status = CASE WHEN d.over THEN 'COMPLETED' ELSE i.status END
    FROM due d WHERE i.id = d.id
), told AS (
    INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, not_before, created_at)
    SELECT 'investment', user_id, 'email', 'roi_digest', jsonb_build_object('date', $1, 'purses', jsonb_object_agg(
        currency, jsonb_build_object('roi', roi::text, 'commission', commission::text))), 'transactional',
        'roi:' || $1 || ':' || user_id, now(), now()
    FROM purse GROUP BY user_id
    ORDER BY user_id::text COLLATE "C"
    ON CONFLICT (dedupe_key) DO NOTHING
)
SELECT count(*) FROM due;
