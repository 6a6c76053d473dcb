-- Days are of the job's zone, which is the session's.

-- name: room_to_sort
-- A day's records are grouped and sorted in memory.
SELECT set_config('work_mem', '256MB', true);

-- name: days_to_sum_up
-- $1: the day. $2: so many days back. Earlier days with usage that nobody summed up: the first run's history.
SELECT coalesce(array_agg(d.day::date ORDER BY d.day), '{}') AS days
FROM generate_series(
    greatest($1::date - $2::int, (SELECT min(at) FROM api_usage)::date)::timestamp,
    $1::date - interval '1 day', interval '1 day') AS d (day)
WHERE NOT EXISTS (SELECT FROM usage_day u WHERE u.day = d.day::date);

-- name: forget
-- $1: the day. It is summed up anew.
DELETE FROM usage_daily WHERE day = $1::date;

-- name: sum_up
-- $1: the day. $2: now. A call that was reported twice is counted once: under the caller's name for it, else the same
-- in all that is known of it; where one report says more than the other, that counts. What is negative is not
-- known, nor are more tokens than report_usage() takes. A call without an answer has failed. A provider's price is the newest that began by that day.
WITH record AS (
    SELECT max(provider_id) AS provider_id, max(status) AS status, bool_or(error IS NOT NULL) AS has_error,
        max(input_tokens) FILTER (WHERE input_tokens BETWEEN 0 AND 1000000000000) AS input_tokens,
        max(output_tokens) FILTER (WHERE output_tokens BETWEEN 0 AND 1000000000000) AS output_tokens,
        max(latency_ms) FILTER (WHERE latency_ms >= 0) AS latency_ms, count(*) AS copies
    FROM api_usage
    WHERE at >= $1::date AND at < $1::date + 1 AND request_id IS NOT NULL
    GROUP BY request_id
    UNION ALL
    SELECT provider_id, status, error IS NOT NULL,
        CASE WHEN input_tokens BETWEEN 0 AND 1000000000000 THEN input_tokens END,
        CASE WHEN output_tokens BETWEEN 0 AND 1000000000000 THEN output_tokens END,
        nullif(greatest(latency_ms, -1), -1), count(*)
    FROM api_usage
    WHERE at >= $1::date AND at < $1::date + 1 AND request_id IS NULL
    GROUP BY provider_id, student_id, at, input_tokens, output_tokens, latency_ms, status, error
), figure AS (
    SELECT provider_id, count(*) AS requests,
        count(*) FILTER (WHERE status IS NULL OR status >= 400 OR has_error) AS errors,
        coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens,
        percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY latency_ms) AS latency_ms,
        sum(copies - 1) AS duplicates,
        count(*) FILTER (WHERE input_tokens IS NULL OR output_tokens IS NULL) AS without_tokens,
        count(*) FILTER (WHERE latency_ms IS NULL) AS without_latency
    FROM record GROUP BY provider_id
), kept AS (
    INSERT INTO usage_daily (day, provider_id, requests, errors, input_tokens, output_tokens, p50_ms, p95_ms, cost)
    SELECT $1, f.provider_id, f.requests, f.errors, f.input_tokens, f.output_tokens, f.latency_ms[1], f.latency_ms[2],
        CASE WHEN f.input_tokens + f.output_tokens = 0 THEN 0
             ELSE round((f.input_tokens * p.input_price + f.output_tokens * p.output_price) / 1000000, 4) END
    FROM figure f
    LEFT JOIN LATERAL (
        SELECT input_price, output_price FROM ai_price
        WHERE provider_id = f.provider_id AND since <= $1 ORDER BY since DESC LIMIT 1) p ON true
    WHERE f.provider_id IS NOT NULL
)
INSERT INTO usage_day AS d (day, rows, duplicates, without_provider, without_tokens, without_latency, summed_up_at)
SELECT $1, coalesce(sum(requests + duplicates), 0), coalesce(sum(duplicates), 0),
    coalesce(sum(requests) FILTER (WHERE provider_id IS NULL), 0), coalesce(sum(without_tokens), 0),
    coalesce(sum(without_latency), 0), $2::timestamptz
FROM figure
ON CONFLICT (day) DO UPDATE
SET rows = excluded.rows, duplicates = excluded.duplicates, without_provider = excluded.without_provider,
    without_tokens = excluded.without_tokens, without_latency = excluded.without_latency,
    summed_up_at = excluded.summed_up_at;

-- name: recorded
SELECT rows, duplicates, without_provider, without_tokens, without_latency FROM usage_day WHERE day = $1::date;

-- name: uses
-- $1: the day. Every provider that is enabled or was used.
SELECT p.id AS provider_id, p.name AS provider, p.enabled, coalesce(u.requests, 0) AS requests,
    coalesce(u.errors, 0) AS errors, coalesce(u.input_tokens, 0) AS input_tokens,
    coalesce(u.output_tokens, 0) AS output_tokens, u.p50_ms, u.p95_ms,
    CASE WHEN u.day IS NULL THEN 0 ELSE u.cost END AS cost
FROM ai_provider p
LEFT JOIN usage_daily u ON u.provider_id = p.id AND u.day = $1::date
WHERE p.enabled OR u.day IS NOT NULL
ORDER BY requests DESC, p.chain_order, p.id;

-- name: history
-- $1: the day. $2: so many days back. $3: at most so many days. Of the same kind: Monday to Friday, or the weekend. A
-- provider's history begins with its first use; days on which nothing at all was recorded are gaps, not zeros.
SELECT provider_id, requests, errors, tokens, p95_ms, cost
FROM (
    SELECT f.provider_id, coalesce(u.requests, 0) AS requests, coalesce(u.errors, 0) AS errors,
        coalesce(u.input_tokens + u.output_tokens, 0) AS tokens, u.p95_ms,
        CASE WHEN u.day IS NULL THEN 0 ELSE u.cost END AS cost,
        row_number() OVER (PARTITION BY f.provider_id ORDER BY d.day DESC) AS nth
    FROM (SELECT provider_id, min(day) AS first FROM usage_daily GROUP BY provider_id) f
    JOIN usage_day d ON d.day >= f.first AND d.day >= $1::date - $2::int AND d.day < $1::date AND d.rows > 0
        AND (extract(isodow FROM d.day) >= 6) = (extract(isodow FROM $1::date) >= 6)
    LEFT JOIN usage_daily u ON u.provider_id = f.provider_id AND u.day = d.day
) h
WHERE nth <= $3
ORDER BY provider_id, nth;

-- name: trend
-- $1: the day. $2: so many days, that one included. Requests of all providers; null where nothing was recorded.
SELECT g.day::date AS day, sum(u.requests)::bigint AS requests, sum(u.errors)::bigint AS errors
FROM generate_series($1::date - $2::int + 1, $1::date::timestamp, interval '1 day') AS g (day)
LEFT JOIN usage_daily u ON u.day = g.day::date
GROUP BY 1 ORDER BY 1;

-- name: open_months
-- $1: the day. Partitions for the calls of this month and the next two; without one they would be in the default one.
SELECT open_usage_months($1::date, $1::date + 62);

-- name: keep
INSERT INTO usage_report (day, payload, made_at) VALUES ($1::date, $2::jsonb, sexton.clock())
ON CONFLICT (day) DO UPDATE SET payload = excluded.payload, made_at = excluded.made_at;
