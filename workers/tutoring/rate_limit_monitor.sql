-- name: forget
-- $1: a provider's name. $2: now. Its limits and its state are unknown again.
WITH gone AS (
    DELETE FROM rate_limit_state WHERE provider_id = (SELECT id FROM ai_provider WHERE name = $1)
)
UPDATE provider_status SET state = 'UNKNOWN', since = $2, usage = NULL, blocked_until = NULL, held_until = NULL, fallback_id = NULL
WHERE provider_id = (SELECT id FROM ai_provider WHERE name = $1);
