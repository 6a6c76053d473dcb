-- $1, $2: the first and the last day. The newest first. Usual is what would have a score of at most 3.5: see
-- anomalies.py; where nothing ever varied, a fifth of the usual value, and 5.

-- name: usage
SELECT u.day, p.name AS provider, u.requests, u.errors, round(u.errors / nullif(u.requests, 0)::numeric, 4) AS error_share,
    u.p50_ms, u.p95_ms, a.direction, CASE WHEN a.half > a.baseline THEN 0 ELSE round(a.baseline - a.half) END AS usual_low,
    round(a.baseline + a.half) AS usual_high
FROM usage_daily u
JOIN ai_provider p ON p.id = u.provider_id
LEFT JOIN usage_report r ON r.day = u.day
LEFT JOIN LATERAL (
    SELECT f.direction, f.baseline, CASE WHEN f.score <> 0 THEN 3.5 * abs(f.value - f.baseline) / abs(f.score)
        ELSE greatest(0.2 * abs(f.baseline), 5) END AS half
    FROM jsonb_to_recordset(r.payload -> 'anomalies')
        AS f (provider text, metric text, value numeric, baseline numeric, score numeric, direction text)
    WHERE f.provider = p.name AND f.metric = 'requests') a ON true
WHERE u.day BETWEEN $1::date AND $2::date
ORDER BY u.day DESC, u.requests DESC, p.name;

-- name: tokens
SELECT u.day, p.name AS provider, u.input_tokens + u.output_tokens AS tokens, u.input_tokens, u.output_tokens, u.cost
FROM usage_daily u JOIN ai_provider p ON p.id = u.provider_id
WHERE u.day BETWEEN $1::date AND $2::date
ORDER BY u.day DESC, tokens DESC, p.name;

-- name: unusual
SELECT r.day, a.provider, replace(a.metric, '_', ' ') AS metric, a.value, a.direction, a.baseline,
    CASE WHEN w.half > a.baseline THEN 0 ELSE a.baseline - w.half END AS usual_low, a.baseline + w.half AS usual_high, a.score
FROM usage_report r
CROSS JOIN LATERAL jsonb_to_recordset(r.payload -> 'anomalies')
    AS a (provider text, metric text, value numeric, baseline numeric, score numeric, direction text)
CROSS JOIN LATERAL (
    SELECT CASE WHEN a.score <> 0 THEN 3.5 * abs(a.value - a.baseline) / abs(a.score)
        ELSE greatest(0.2 * abs(a.baseline), 5) END AS half) w
WHERE r.day BETWEEN $1::date AND $2::date
ORDER BY r.day DESC, abs(a.score) DESC NULLS FIRST, a.provider, a.metric;

-- name: limits
-- As it is now. A provider of which nothing is known has one row that says so.
SELECT p.name AS provider, lower(s.state) AS state, coalesce(replace(l.dim, '_', ' '), 'nothing known') AS dim,
    CASE WHEN l.limit_n > 0 THEN round(1 - least(l.remaining_n, l.limit_n)::numeric / l.limit_n, 4)
         WHEN l.limit_n = 0 THEN 1 END AS used,
    l.remaining_n AS remaining, l.limit_n, l.reset_at, l.observed_at, l.source, f.name AS fallback
FROM ai_provider p
JOIN provider_status s ON s.provider_id = p.id
LEFT JOIN rate_limit_state l ON l.provider_id = p.id AND l.reset_at > sexton.clock()
LEFT JOIN ai_provider f ON f.id = s.fallback_id
WHERE p.enabled
ORDER BY p.chain_order, p.id, l.dim;

-- name: failovers
SELECT t.at, p.name AS provider, lower(t.from_state) AS from_state, lower(t.to_state) AS to_state, t.usage, t.reason
FROM provider_transition t JOIN ai_provider p ON p.id = t.provider_id
WHERE t.at >= $1::date::timestamp AT TIME ZONE 'UTC' AND t.at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'
ORDER BY t.at DESC, t.id DESC;

-- name: backups
SELECT (due_at AT TIME ZONE 'UTC')::date AS day, result ->> 'name' AS name, state,
    (result ->> 'bytes')::bigint AS size, extract(epoch FROM finished_at - started_at) AS took,
    (result ->> 'verified_at')::timestamptz AS verified_at, (result ->> 'tables')::bigint AS tables,
    (result ->> 'rows')::bigint AS rows, jsonb_array_length(result -> 'pruned')::bigint AS pruned,
    CASE WHEN state <> 'succeeded' THEN coalesce(error, reason) END AS error
FROM sexton.run
WHERE job = 'tutoring.automated_backup' AND due_at >= $1::date::timestamp AT TIME ZONE 'UTC'
    AND due_at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'
ORDER BY due_at DESC;
