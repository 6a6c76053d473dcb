-- name: lock_statuses
-- One decision at a time, whichever node takes it. Good checks: the newest in a row since the state began, where that
-- matters; asked at each reading, so no check is looked at twice. $1: now.
SELECT p.id, p.name, s.state, s.held_until,
    CASE WHEN s.state IN ('FAILOVER', 'BLOCKED') THEN (
        SELECT count(*) FROM provider_check c
        WHERE c.provider_id = p.id AND c.verdict = 'up' AND c.checked_at > coalesce((
            SELECT max(bad.checked_at) FROM provider_check bad
            WHERE bad.provider_id = p.id AND bad.verdict <> 'up' AND bad.checked_at > s.since), s.since))
    ELSE 0 END AS good_checks,
    EXISTS (SELECT FROM provider_check c
     WHERE c.provider_id = p.id AND c.checked_at > $1::timestamptz - interval '1 day') AS is_checked
FROM provider_status s JOIN ai_provider p ON p.id = s.provider_id
ORDER BY p.id
FOR UPDATE OF s;

-- name: live_levels
-- $1: now.
SELECT provider_id, dim, limit_n, remaining_n, reset_at FROM rate_limit_state WHERE reset_at > $1;

-- name: keep_levels
-- $1 provider, $2 dimension, $3 limit, $4 remaining, $5 reset, $6 observed: arrays of one length. The newest of each
-- limit stays, in whatever order answers are read; what is counted here gives way to what a provider says.
INSERT INTO rate_limit_state AS known (provider_id, dim, limit_n, remaining_n, reset_at, observed_at, source)
SELECT DISTINCT ON (provider_id, dim) provider_id, dim, limit_n, remaining_n, reset_at, observed_at, 'header'
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
    AS said (provider_id, dim, limit_n, remaining_n, reset_at, observed_at)
ORDER BY provider_id, dim, observed_at DESC
ON CONFLICT (provider_id, dim) DO UPDATE SET limit_n = excluded.limit_n, remaining_n = excluded.remaining_n,
    reset_at = excluded.reset_at, observed_at = excluded.observed_at, source = excluded.source
WHERE known.source = 'counter' OR excluded.observed_at >= known.observed_at;

-- name: count_locally
-- $1: now. $2: windows (minute, day, month). Where a limit is known and nothing said by its provider holds now, it is
-- counted from what was reported. Windows are of UTC.
WITH frame AS (
    SELECT provider_id, dim, limit_n, date_trunc(per, $1::timestamptz, 'UTC') AS since,
        (date_trunc(per, $1 AT TIME ZONE 'UTC') + ('1 ' || per)::interval) AT TIME ZONE 'UTC' AS until
    FROM provider_limit l
    WHERE per = ANY ($2::text[]) AND NOT EXISTS (
        SELECT FROM rate_limit_state s
        WHERE s.provider_id = l.provider_id AND s.dim = l.dim AND s.source = 'header' AND s.reset_at > $1)
), counted AS (
    SELECT f.provider_id, f.dim, f.limit_n, f.until, CASE f.dim
        WHEN 'requests' THEN count(u.id)
        WHEN 'input_tokens' THEN coalesce(sum(greatest(u.input_tokens, 0)), 0)
        WHEN 'output_tokens' THEN coalesce(sum(greatest(u.output_tokens, 0)), 0)
        ELSE coalesce(sum(greatest(u.input_tokens, 0)::numeric + greatest(u.output_tokens, 0)), 0)
    END AS used
    FROM frame f
    LEFT JOIN api_usage u ON u.provider_id = f.provider_id AND u.at >= f.since AND u.at < f.until
    GROUP BY f.provider_id, f.dim, f.limit_n, f.until
)
INSERT INTO rate_limit_state (provider_id, dim, limit_n, remaining_n, reset_at, observed_at, source)
SELECT provider_id, dim, limit_n, greatest(limit_n - used, 0), until, $1, 'counter' FROM counted
ON CONFLICT (provider_id, dim) DO UPDATE SET limit_n = excluded.limit_n, remaining_n = excluded.remaining_n,
    reset_at = excluded.reset_at, observed_at = excluded.observed_at, source = excluded.source;

-- name: save_statuses
-- $1 provider, $2 state, $3 usage, $4 held until: arrays. $5: now.
UPDATE provider_status s
SET since = CASE WHEN s.state = new.state THEN s.since ELSE $5::timestamptz END, state = new.state, usage = new.usage,
    held_until = new.held_until, blocked_until = CASE WHEN new.state = 'BLOCKED' THEN new.held_until END, evaluated_at = $5
FROM unnest($1::int[], $2::text[], $3::numeric[], $4::timestamptz[]) AS new (provider_id, state, usage, held_until)
WHERE s.provider_id = new.provider_id;

-- name: add_transitions
-- $1 provider, $2 from, $3 to, $4 usage, $5 reason: arrays. $6: now.
INSERT INTO provider_transition (provider_id, at, from_state, to_state, usage, reason)
SELECT provider_id, $6::timestamptz, from_state, to_state, usage, reason
FROM unnest($1::int[], $2::text[], $3::text[], $4::numeric[], $5::text[])
    AS new (provider_id, from_state, to_state, usage, reason);

-- name: choose_fallbacks
-- $1: now. Who stands in for each that is diverted; nobody for the others.
UPDATE provider_status s SET fallback_id = chosen.fallback_id
FROM (
    SELECT p.id, f.id AS fallback_id
    FROM provider_status o
    JOIN ai_provider p ON p.id = o.provider_id
    LEFT JOIN LATERAL tutoring.pick_provider($1::timestamptz, ARRAY[p.name]) c ON o.state IN ('FAILOVER', 'BLOCKED')
    LEFT JOIN ai_provider f ON f.name = c.name
) chosen
WHERE s.provider_id = chosen.id AND s.fallback_id IS DISTINCT FROM chosen.fallback_id;

-- name: failovers
SELECT provider, fallback FROM active_failover;

-- name: pick
-- $1: now. $2: names to leave out.
SELECT name, kind, base_url, state, usage, reason FROM tutoring.pick_provider($1::timestamptz, $2::text[]);

-- name: soonest_release
-- When the first of the blocked is let go.
SELECT min(s.blocked_until) FROM provider_status s JOIN ai_provider p ON p.id = s.provider_id WHERE p.enabled;
