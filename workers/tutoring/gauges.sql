-- name: provider_usage_ratio
-- How full the fullest known limit of a provider is, 0 to 1; nothing where nothing is known
SELECT p.name AS provider, s.usage AS value
FROM provider_status s JOIN ai_provider p ON p.id = s.provider_id WHERE p.enabled;

-- name: provider_up
-- 1 where the last check of a provider was good; nothing where none was made within an hour
SELECT p.name AS provider, c.ok::int AS value
FROM ai_provider p
JOIN LATERAL (SELECT ok FROM provider_check WHERE provider_id = p.id AND checked_at > sexton.clock() - interval '1 hour'
    ORDER BY checked_at DESC LIMIT 1) c ON true
WHERE p.enabled;

-- name: provider_latency_seconds
-- How long a provider took for its last check
SELECT p.name AS provider, c.latency_ms / 1000.0 AS value
FROM ai_provider p
JOIN LATERAL (SELECT latency_ms FROM provider_check WHERE provider_id = p.id
    AND checked_at > sexton.clock() - interval '1 hour' ORDER BY checked_at DESC LIMIT 1) c ON true
WHERE p.enabled;

-- name: provider_diverted
-- 1 while others are asked in a provider's stead (FAILOVER) or it may not be asked at all (BLOCKED)
SELECT p.name AS provider, lower(s.state) AS state, 1 AS value
FROM provider_status s JOIN ai_provider p ON p.id = s.provider_id
WHERE p.enabled AND s.state IN ('FAILOVER', 'BLOCKED');

-- name: provider_available
-- 1 while some provider has room
SELECT count(*) AS value FROM tutoring.pick_provider();

-- name: health
-- The last health check: 2 healthy, 1 degraded, 0 unhealthy; nothing where it could ask no provider (unconfigured)
SELECT CASE overall WHEN 'healthy' THEN 2 WHEN 'degraded' THEN 1 ELSE 0 END AS value
FROM (SELECT overall FROM system_check ORDER BY checked_at DESC LIMIT 1) last WHERE overall <> 'unconfigured';
