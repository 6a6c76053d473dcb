-- $1, $2: the first and the last day. The newest first.

-- name: returns
SELECT t.accrual_date AS day, t.currency, sum(t.amount) FILTER (WHERE t.level = 0) AS roi,
    coalesce(sum(t.amount) FILTER (WHERE t.level > 0), 0) AS commission, sum(t.payments)::bigint AS payments
FROM accrual_total t
JOIN accrual_day d ON d.accrual_date = t.accrual_date AND d.round = t.round AND d.state IN ('PAYING', 'PAID')
WHERE t.accrual_date BETWEEN $1::date AND $2::date
GROUP BY 1, 2 ORDER BY 1 DESC, 2;

-- name: weekly
SELECT * FROM published_figures WHERE kind = 'weekly' AND period BETWEEN $1::date AND $2::date
ORDER BY period DESC, currency;

-- name: monthly
-- Months with any of the days.
SELECT * FROM published_figures
WHERE kind = 'monthly' AND period BETWEEN date_trunc('month', $1::date::timestamp)::date AND $2::date
ORDER BY period DESC, currency;

-- name: plans
SELECT to_date(r.period_key, 'YYYY_MM') AS month, c.key AS currency, p.value ->> 'name' AS plan,
    (p.value ->> 'invested')::numeric AS invested, (p.value ->> 'share_pct')::numeric / 100 AS share,
    (p.value ->> 'investments')::bigint AS investments
FROM report r
CROSS JOIN LATERAL jsonb_each(r.payload -> 'top_plans') c
CROSS JOIN LATERAL jsonb_array_elements(c.value) WITH ORDINALITY p (value, nth)
WHERE r.kind = 'monthly'
    AND to_date(r.period_key, 'YYYY_MM') BETWEEN date_trunc('month', $1::date::timestamp)::date AND $2::date
ORDER BY month DESC, currency, p.nth;
