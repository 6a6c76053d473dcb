-- What published reports say of each currency, a row each. `period`: of a week its last day, of a month its first.
CREATE VIEW investment.published_figures AS
SELECT r.kind,
    CASE r.kind WHEN 'monthly' THEN to_date(r.period_key, 'YYYY_MM') ELSE (r.payload ->> 'until')::date END AS period,
    c.key AS currency, (c.value ->> 'deposits')::numeric AS deposits, (c.value ->> 'withdrawals')::numeric AS withdrawals,
    (c.value ->> 'roi')::numeric AS roi, (c.value ->> 'commission')::numeric AS commission,
    (c.value ->> 'revenue')::numeric AS revenue, (c.value ->> 'revenue_growth_pct')::numeric / 100 AS growth,
    (c.value ->> 'invested')::numeric AS invested, (c.value ->> 'opened')::bigint AS opened,
    (c.value ->> 'matured')::bigint AS matured, (c.value ->> 'active_principal')::numeric AS active_principal,
    (c.value ->> 'active_investors')::bigint AS active_investors,
    (c.value ->> 'withdrawals_pending')::bigint AS withdrawals_pending,
    (r.payload #>> '{users,new}')::bigint AS new_users
FROM investment.report r CROSS JOIN LATERAL jsonb_each(r.payload -> 'currencies') c;
