-- name: report
SELECT payload, made_at FROM usage_report WHERE day = $1::date;

-- name: reports
-- $1: so many, the newest first.
SELECT day, made_at, payload -> 'total' AS total, payload -> 'anomalies' AS anomalies
FROM usage_report ORDER BY day DESC LIMIT $1;

-- name: by_provider
-- $1, $2: from and until a day, both included.
SELECT p.name AS provider, sum(u.requests)::bigint AS requests, sum(u.errors)::bigint AS errors,
    round(100.0 * sum(u.errors) / nullif(sum(u.requests), 0), 1) AS error_pct,
    sum(u.input_tokens)::bigint AS input_tokens, sum(u.output_tokens)::bigint AS output_tokens, sum(u.cost) AS cost,
    count(*) FILTER (WHERE u.cost IS NULL) AS days_without_a_price
FROM usage_daily u JOIN ai_provider p ON p.id = u.provider_id
WHERE u.day BETWEEN $1::date AND $2::date
GROUP BY p.id ORDER BY requests DESC, p.id;
