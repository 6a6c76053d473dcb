-- name: reading
SELECT r.provider_id, p.kind, least(r.observed_at, sexton.clock()) AS observed_at, r.http_status, r.headers, r.body
FROM provider_reading r JOIN ai_provider p ON p.id = r.provider_id
WHERE r.reading_id = $1;
