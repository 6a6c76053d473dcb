-- name: sums
-- $1, $2: local days, the second not included; $3: the zone. Everything that adds up, by day, currency and kind.
-- Payouts belong to the day they are for, and a reversed day has none; cash belongs to the day it was entered.
SELECT (created_at AT TIME ZONE $3::text)::date AS day, currency,
    CASE WHEN status = 'PENDING' THEN lower(kind::text) || '_pending' ELSE lower(kind::text) END AS what,
    count(*) AS number, sum(CASE WHEN kind = 'WITHDRAWAL' THEN -amount ELSE amount END) AS amount
FROM ledger
WHERE kind IN ('DEPOSIT', 'WITHDRAWAL') AND status <> 'VOID'
    AND created_at >= $1::date::timestamp AT TIME ZONE $3::text
    AND created_at < $2::date::timestamp AT TIME ZONE $3::text
GROUP BY 1, 2, 3
UNION ALL
SELECT t.accrual_date, t.currency, CASE t.level WHEN 0 THEN 'roi' ELSE 'commission_' || t.level END,
    sum(t.payments)::bigint, sum(t.amount)
FROM accrual_total t
JOIN accrual_day d ON d.accrual_date = t.accrual_date AND d.round = t.round AND d.state IN ('PAYING', 'PAID')
WHERE t.accrual_date >= $1::date AND t.accrual_date < $2::date
GROUP BY 1, 2, 3
UNION ALL
SELECT i.activated_on, i.currency, 'invested', count(*), sum(i.principal)
FROM (SELECT activated_on, currency, principal FROM investment
      UNION ALL SELECT activated_on, currency, principal FROM investment_archive) i
WHERE i.activated_on >= $1::date AND i.activated_on < $2::date
GROUP BY 1, 2
UNION ALL
SELECT i.last_accrual_on, i.currency, 'matured', count(*), sum(i.principal)
FROM (SELECT last_accrual_on, currency, principal, status FROM investment
      UNION ALL SELECT last_accrual_on, currency, principal, status FROM investment_archive) i
WHERE i.last_accrual_on >= $1::date AND i.last_accrual_on < $2::date AND i.status = 'COMPLETED'
GROUP BY 1, 2;

-- name: new_users
-- $1, $2, $3 as above.
SELECT (created_at AT TIME ZONE $3::text)::date AS day, count(*) AS number FROM app_user
WHERE created_at >= $1::date::timestamp AT TIME ZONE $3::text
    AND created_at < $2::date::timestamp AT TIME ZONE $3::text
GROUP BY 1;

-- name: active_now
SELECT currency, count(*) AS number, sum(principal) AS amount, count(DISTINCT user_id) AS investors
FROM investment WHERE status = 'ACTIVE' GROUP BY currency;

-- name: keep
INSERT INTO report AS r (kind, period_key, version, payload, generated_at) VALUES ($1, $2, $3, $4::jsonb, sexton.clock())
ON CONFLICT (kind, period_key) DO UPDATE
SET version = excluded.version, payload = excluded.payload, generated_at = excluded.generated_at;
