-- A day's own state: its round, the rates it is paid by, and what it comes to.

-- name: lock_days
-- Payouts and reversals of any day come one after the other; readers are not disturbed.
LOCK TABLE accrual_day IN SHARE ROW EXCLUSIVE MODE;

-- name: day
SELECT round, state, run_id FROM accrual_day WHERE accrual_date = $1;

-- name: gaps
-- Whether some plan has no rate on that day.
SELECT EXISTS (SELECT FROM plan p WHERE NOT EXISTS (
    SELECT FROM accrual_rate r WHERE r.accrual_date = $1 AND r.round = $2 AND r.plan_id = p.id));

-- name: open_day
-- $2: the run.
INSERT INTO accrual_day AS d (accrual_date, state, run_id) VALUES ($1::date, 'PAYING', $2)
ON CONFLICT (accrual_date) DO UPDATE
SET round = CASE d.state WHEN 'REVERSED' THEN d.round + 1 ELSE d.round END, state = 'PAYING', run_id = excluded.run_id,
    began_at = sexton.clock(), ended_at = NULL
WHERE d.state <> 'REVERSING'
RETURNING round;

-- name: close_day
-- $2: what it is now. $3: the run that closes it.
UPDATE accrual_day SET state = $2::text, ended_at = sexton.clock() WHERE accrual_date = $1 AND run_id = $3;

-- name: audit_again
-- $2: its round. A day that somebody was paid for afterwards is looked at once more.
DELETE FROM audited_day WHERE accrual_date = $1 AND round = $2;

-- name: freeze_rates
-- From here on the day has these rates, whatever happens to the plans'. Plans that had none when the day began may
-- be given theirs later.
INSERT INTO accrual_rate (accrual_date, round, plan_id, daily_rate, cap_ratio)
SELECT $1::date, $2::smallint, plan_id, daily_rate, cap_ratio FROM plan_rate WHERE valid @> $1
ON CONFLICT (accrual_date, round, plan_id) DO NOTHING;

-- name: freeze_levels
INSERT INTO accrual_level (accrual_date, round, level, rate)
SELECT $1::date, $2::smallint, level, rate FROM commission_level
WHERE valid @> $1 AND NOT EXISTS (SELECT FROM accrual_rate WHERE accrual_date = $1 AND round = $2)
ON CONFLICT (accrual_date, round, level) DO NOTHING;

-- name: learn_rates
-- The planner expects next to nothing of tables it has not looked at, and would look up a million users one by one.
ANALYZE accrual_rate, accrual_level;

-- name: levels_sum
SELECT coalesce(sum(rate), 0) FROM commission_level WHERE valid @> $1::date;

-- name: returns_due
-- $3: whether the suspended earn. What the returns of the whole day come to now, by currency; unrated: due, but the
-- plan has no rate.
SELECT i.currency, count(*) FILTER (WHERE r.plan_id IS NULL) AS unrated, count(*) AS investments,
    coalesce(sum(least(round(i.principal * r.daily_rate, 2), round(i.principal * r.cap_ratio, 2) - i.paid_total))
        FILTER (WHERE r.cap_ratio IS NULL OR round(i.principal * r.cap_ratio, 2) > i.paid_total), 0) AS amount
FROM investment i
JOIN app_user u ON u.id = i.user_id AND (u.status = 'ACTIVE' OR u.status = 'SUSPENDED' AND $3::bool)
LEFT JOIN accrual_rate r ON r.accrual_date = $1::date AND r.round = $2::smallint AND r.plan_id = i.plan_id
WHERE i.status IN ('ACTIVE', 'COMPLETED') AND i.activated_on < $1 AND i.last_accrual_on >= $1
GROUP BY i.currency;

-- name: would_pay
-- $3: whether the suspended earn. What paying the whole day now comes to, by currency and level, as pay_range would.
WITH rate AS (
    SELECT plan_id, daily_rate, cap_ratio FROM accrual_rate WHERE accrual_date = $1::date AND round = $2::smallint
    UNION ALL
    SELECT plan_id, daily_rate, cap_ratio FROM plan_rate p
    WHERE valid @> $1 AND NOT EXISTS (SELECT FROM accrual_rate a
                                      WHERE a.accrual_date = $1 AND a.round = $2 AND a.plan_id = p.plan_id)
), level AS (
    SELECT level, rate FROM accrual_level WHERE accrual_date = $1 AND round = $2
    UNION ALL
    SELECT level, rate FROM commission_level
    WHERE valid @> $1 AND NOT EXISTS (SELECT FROM accrual_rate WHERE accrual_date = $1 AND round = $2)
), due AS MATERIALIZED (
    SELECT i.user_id, i.currency,
        least(round(i.principal * r.daily_rate, 2), round(i.principal * r.cap_ratio, 2) - i.paid_total) AS amount
    FROM investment i
    JOIN rate r ON r.plan_id = i.plan_id
    JOIN app_user u ON u.id = i.user_id AND (u.status = 'ACTIVE' OR u.status = 'SUSPENDED' AND $3::bool)
    WHERE i.status IN ('ACTIVE', 'COMPLETED') AND i.activated_on < $1 AND i.last_accrual_on >= $1
      AND least(round(i.principal * r.daily_rate, 2), round(i.principal * r.cap_ratio, 2) - i.paid_total) > 0
      AND NOT EXISTS (SELECT FROM roi_distribution d
                      WHERE d.accrual_date = $1 AND d.round = $2 AND d.investment_id = i.id)
)
SELECT currency, 0 AS level, count(*) AS payments, sum(amount) AS amount, 0 AS forfeited FROM due GROUP BY currency
UNION ALL
SELECT d.currency, l.level, count(*) FILTER (WHERE p.active),
    coalesce(sum(round(d.amount * l.rate, 2)) FILTER (WHERE p.active), 0), count(*) FILTER (WHERE NOT p.active)
FROM due d
JOIN upline p ON p.user_id = d.user_id
JOIN level l ON l.level = p.level
WHERE round(d.amount * l.rate, 2) > 0
GROUP BY d.currency, l.level
ORDER BY 1, 2;

-- name: unrated
-- $3: whether the suspended earn. Due investments whose plan has no rate for the day.
SELECT count(*)
FROM investment i
JOIN app_user u ON u.id = i.user_id AND (u.status = 'ACTIVE' OR u.status = 'SUSPENDED' AND $3::bool)
WHERE i.status IN ('ACTIVE', 'COMPLETED') AND i.activated_on < $1::date AND i.last_accrual_on >= $1
  AND NOT EXISTS (SELECT FROM accrual_rate r
                  WHERE r.accrual_date = $1 AND r.round = $2::smallint AND r.plan_id = i.plan_id)
  AND NOT EXISTS (SELECT FROM plan_rate p WHERE p.plan_id = i.plan_id AND p.valid @> $1);

-- name: earlier_totals
-- $2: so many days before it. What the returns of each of the last paid days came to, by currency.
SELECT t.accrual_date, t.currency, sum(t.amount) AS amount
FROM (SELECT accrual_date, round FROM accrual_day
      WHERE accrual_date < $1::date AND state = 'PAID'
      ORDER BY accrual_date DESC LIMIT $2) d
JOIN accrual_total t ON t.accrual_date = d.accrual_date AND t.round = d.round AND t.level = 0
GROUP BY t.accrual_date, t.currency;
