-- name: providers
-- $1: now. Uptime: good checks of all in a day; null where there was none.
SELECT p.name, p.kind, p.chain_order, p.enabled, s.state, (s.usage * 100)::float8 AS percentage, s.since, s.held_until,
    f.name AS fallback, c.verdict, c.latency_ms, c.checked_at, c.error, u.uptime_pct, i.started_at AS incident_since,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('dim', l.dim, 'limit', l.limit_n, 'remaining', l.remaining_n,
         'reset_at', l.reset_at, 'source', l.source) ORDER BY l.dim), '[]')
     FROM rate_limit_state l WHERE l.provider_id = p.id AND l.reset_at > $1::timestamptz) AS limits
FROM ai_provider p
JOIN provider_status s ON s.provider_id = p.id
LEFT JOIN ai_provider f ON f.id = s.fallback_id
LEFT JOIN LATERAL (SELECT verdict, latency_ms, checked_at, error FROM provider_check
    WHERE provider_id = p.id ORDER BY checked_at DESC LIMIT 1) c ON true
LEFT JOIN LATERAL (SELECT round(100.0 * count(*) FILTER (WHERE ok) / nullif(count(*), 0), 2)::float8 AS uptime_pct
    FROM provider_check WHERE provider_id = p.id AND checked_at > $1::timestamptz - interval '1 day') u ON true
LEFT JOIN provider_incident i ON i.provider_id = p.id AND i.ended_at IS NULL
ORDER BY p.chain_order;

-- name: known
SELECT count(*) FROM ai_provider WHERE name = $1;

-- name: history
-- $1: a provider's name. A hundred of each.
WITH this AS (SELECT id FROM ai_provider WHERE name = $1)
SELECT
    (SELECT coalesce(jsonb_agg(to_jsonb(t) - 'id' - 'provider_id'), '[]') FROM (
        SELECT * FROM provider_transition WHERE provider_id = (SELECT id FROM this) ORDER BY id DESC LIMIT 100) t)
        AS transitions,
    (SELECT coalesce(jsonb_agg(to_jsonb(i) - 'id' - 'provider_id'), '[]') FROM (
        SELECT * FROM provider_incident WHERE provider_id = (SELECT id FROM this) ORDER BY id DESC LIMIT 100) i)
        AS incidents;

-- name: report
SELECT tutoring.report_usage(provider => $1::text, status => $2::int, headers => $3::jsonb, body => $4::jsonb,
    input_tokens => $5::bigint, output_tokens => $6::bigint, latency_ms => $7::int, student => $8::bigint,
    error => $9::text, request_id => $10::text, at => coalesce($11::timestamptz, sexton.clock()));
