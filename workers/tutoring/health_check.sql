-- name: ping
SELECT 1;

-- name: providers
SELECT p.id, p.name, p.kind, p.base_url, s.state IN ('FAILOVER', 'BLOCKED') AS diverted
FROM ai_provider p JOIN provider_status s ON s.provider_id = p.id
WHERE p.enabled ORDER BY p.chain_order;

-- name: longest_runs
-- $1: since when. $2: now. Of this suite's jobs, those under way included.
SELECT split_part(job, '.', 2) AS job, max(coalesce(finished_at, $2::timestamptz) - started_at) AS took
FROM sexton.run
WHERE job LIKE 'tutoring.%' AND started_at <= $2 AND (finished_at >= $1::timestamptz OR state = 'running')
GROUP BY 1;

-- name: keep_checks
-- $1 provider, $2 verdict, $3 status, $4 latency, $5 error: arrays. $6: when.
INSERT INTO provider_check (provider_id, checked_at, ok, verdict, http_status, latency_ms, error)
SELECT provider_id, $6::timestamptz, verdict IN ('up', 'limited'), verdict, http_status, latency_ms, error
FROM unnest($1::int[], $2::text[], $3::smallint[], $4::int[], $5::text[])
    AS new (provider_id, verdict, http_status, latency_ms, error)
ON CONFLICT (provider_id, checked_at) DO NOTHING;

-- name: go_on_with_incidents
-- $1 provider, $2 verdict, $3 error: arrays, of those that are not well. $4: when.
INSERT INTO provider_incident AS i (provider_id, verdict, started_at, error)
SELECT provider_id, verdict, $4::timestamptz, error
FROM unnest($1::int[], $2::text[], $3::text[]) AS new (provider_id, verdict, error)
ON CONFLICT (provider_id) WHERE ended_at IS NULL
DO UPDATE SET failures = i.failures + 1, verdict = excluded.verdict, error = excluded.error;

-- name: end_incidents
-- $1: providers that are not well. $2: when. Whoever is well, or not checked any more, has none. Returns those that
-- somebody was told of.
WITH ended AS (
    UPDATE provider_incident SET ended_at = greatest($2::timestamptz, started_at)
    WHERE ended_at IS NULL AND provider_id <> ALL ($1::int[])
    RETURNING provider_id, verdict, started_at, failures, error, alerted_at
)
SELECT e.provider_id, p.name, e.verdict, e.started_at, e.failures, e.error
FROM ended e JOIN ai_provider p ON p.id = e.provider_id
WHERE e.alerted_at IS NOT NULL ORDER BY p.name;

-- name: incidents_to_tell
-- $1: failures in a row. $2: when.
WITH told AS (
    UPDATE provider_incident SET alerted_at = $2::timestamptz
    WHERE ended_at IS NULL AND alerted_at IS NULL AND failures >= $1
    RETURNING provider_id, verdict, started_at, failures, error
)
SELECT t.provider_id, p.name, t.verdict, t.started_at, t.failures, t.error
FROM told t JOIN ai_provider p ON p.id = t.provider_id ORDER BY p.name;

-- name: last_checks
-- $1: before.
SELECT checks FROM system_check WHERE checked_at < $1 ORDER BY checked_at DESC LIMIT 1;

-- name: keep_system_check
INSERT INTO system_check (checked_at, overall, checks, recommendations) VALUES ($1, $2, $3::jsonb, $4::jsonb)
ON CONFLICT (checked_at) DO UPDATE
SET overall = excluded.overall, checks = excluded.checks, recommendations = excluded.recommendations;
