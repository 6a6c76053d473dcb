-- A day is from its midnight to the next in the job's zone, which is the session's: 23 or 25 hours where clocks change.

-- name: sales
-- $1: the day. $2: orders placed before this instant, null: of the whole day. $3: the states that count. $4: the currency
-- of no orders at all. What the day had in an earlier report and has no more is zero.
WITH sold AS (
    SELECT currency, sum(total_amount) AS total, count(*) AS orders FROM orders
    WHERE created_at >= ($1::date)::timestamptz AND created_at < ($1::date + 1)::timestamptz
        AND ($2::timestamptz IS NULL OR created_at < $2::timestamptz) AND status = ANY ($3::text[])
    GROUP BY currency
)
SELECT coalesce(s.currency, d.currency) AS currency, coalesce(s.total, 0) AS total, coalesce(s.orders, 0) AS orders
FROM sold s FULL JOIN (
    SELECT currency::text FROM daily_sales WHERE day = $1::date
    UNION SELECT $4::text WHERE NOT EXISTS (SELECT FROM sold)) d ON d.currency = s.currency
ORDER BY orders DESC, currency;

-- name: keep_partial
-- $1: the day. $2: currencies, $3: totals, $4: numbers of orders. $5: up to when they count.
INSERT INTO daily_sales (day, currency, partial_total, partial_count, partial_cutoff)
SELECT $1::date, currency, total, orders, $5::timestamptz
FROM unnest($2::text[], $3::numeric[], $4::int[]) AS new (currency, total, orders)
ON CONFLICT (day, currency) DO UPDATE SET partial_total = excluded.partial_total,
    partial_count = excluded.partial_count, partial_cutoff = excluded.partial_cutoff;

-- name: keep_final
-- $1: the day. $2: currencies, $3: totals, $4: numbers of orders. $5: now.
INSERT INTO daily_sales (day, currency, final_total, final_count, finalised_at)
SELECT $1::date, currency, total, orders, $5::timestamptz
FROM unnest($2::text[], $3::numeric[], $4::int[]) AS new (currency, total, orders)
ON CONFLICT (day, currency) DO UPDATE SET final_total = excluded.final_total, final_count = excluded.final_count,
    finalised_at = excluded.finalised_at;

-- name: trend
-- $1, $2: from and until a day, both included. $3: of at most so many currencies.
SELECT d.day, d.currency, d.final_total
FROM daily_sales d JOIN (
    SELECT currency, sum(final_count) AS orders FROM daily_sales
    WHERE day BETWEEN $1::date AND $2::date AND final_total > 0
    GROUP BY currency ORDER BY orders DESC, currency LIMIT $3) most ON most.currency = d.currency
WHERE d.day BETWEEN $1::date AND $2::date AND d.final_total IS NOT NULL
ORDER BY most.orders DESC, d.currency, d.day;
