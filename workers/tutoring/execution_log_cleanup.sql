-- name: remove
-- $1: checks before. $2: history before. $3: at most so many rows of each. An incident that goes on stays.
WITH provider_checks AS (
    DELETE FROM provider_check WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM provider_check WHERE checked_at < $1::timestamptz LIMIT $3 FOR UPDATE SKIP LOCKED))
    RETURNING 1
), system_checks AS (
    DELETE FROM system_check WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM system_check WHERE checked_at < $1 LIMIT $3 FOR UPDATE SKIP LOCKED))
    RETURNING 1
), transitions AS (
    DELETE FROM provider_transition WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM provider_transition WHERE at < $2::timestamptz LIMIT $3 FOR UPDATE SKIP LOCKED))
    RETURNING 1
), incidents AS (
    DELETE FROM provider_incident WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM provider_incident WHERE ended_at < $2 LIMIT $3 FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT (SELECT count(*) FROM provider_checks) AS provider_checks, (SELECT count(*) FROM system_checks) AS system_checks,
    (SELECT count(*) FROM transitions) AS transitions, (SELECT count(*) FROM incidents) AS incidents;
