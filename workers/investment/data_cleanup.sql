-- name: newest_backup
-- $1: the instant. A backup from the future is not believed.
SELECT max(finished_at) FROM verified_backup WHERE verified_at <= $1::timestamptz;

-- name: process_logs
-- $1: the instant, $2: at most so many rows; $3: of health checks. What the platform itself keeps as process_log_…;
-- the runs of jobs leave the ledger when their own retention ends.
WITH logs AS (
    DELETE FROM system_setting WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM system_setting
        WHERE class = 'ephemeral' AND key LIKE 'process\_log\_%' AND updated_at < $1::timestamptz
        LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1
), checks AS (
    DELETE FROM health_check WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM health_check WHERE checked_at < $3::timestamptz LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT (SELECT count(*) FROM logs) + (SELECT count(*) FROM checks) AS gone;

-- name: sessions
WITH gone AS (
    DELETE FROM session WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM session WHERE expires_at < $1::timestamptz LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) AS gone FROM gone;

-- name: notifications
-- Moved, in one statement. What is not sent yet stays, and what an archive row of the same id would hide.
WITH moved AS (
    DELETE FROM notification WHERE ctid = ANY (ARRAY(
        SELECT n.ctid FROM notification n
        WHERE n.created_at < $1::timestamptz AND n.fanned_out_at IS NOT NULL
            AND NOT EXISTS (SELECT FROM notification_archive a WHERE a.id = n.id)
        LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING *
), kept AS (
    INSERT INTO notification_archive (id, user_id, kind, channel, title, body, is_read, created_at, fanned_out_to, fanned_out_at)
    SELECT id, user_id, kind, channel, title, body, is_read, created_at, fanned_out_to, fanned_out_at FROM moved
    RETURNING 1
)
SELECT count(*) AS gone FROM kept;

-- name: completed_investments
-- $1: the day. Its distributions, commissions and ledger rows stay where they are. Disputed ones stay, and those
-- with a payout that is still parked.
WITH moved AS (
    DELETE FROM investment WHERE ctid = ANY (ARRAY(
        SELECT i.ctid FROM investment i
        WHERE i.status = 'COMPLETED' AND i.last_accrual_on < $1::date
            AND NOT EXISTS (SELECT FROM dispute d WHERE d.investment_id = i.id AND d.closed_at IS NULL)
            AND NOT EXISTS (SELECT FROM parked_payout p WHERE p.investment_id = i.id AND p.settled_at IS NULL)
            AND NOT EXISTS (SELECT FROM investment_archive a WHERE a.id = i.id)
        LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING *
), kept AS (
    INSERT INTO investment_archive (
        id, user_id, plan_id, activated_on, last_accrual_on, principal, paid_total, currency, status, created_at)
    SELECT id, user_id, plan_id, activated_on, last_accrual_on, principal, paid_total, currency, status, created_at
    FROM moved
    RETURNING 1
)
SELECT count(*) AS gone FROM kept;

-- name: orphans
-- Sessions and messages of people whose row is gone. A distribution without commissions is no orphan.
WITH sessions AS (
    DELETE FROM session WHERE ctid = ANY (ARRAY(
        SELECT s.ctid FROM session s
        WHERE NOT EXISTS (SELECT FROM app_user u WHERE u.id = s.user_id)
        LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING 1
), notifications AS (
    DELETE FROM notification WHERE ctid = ANY (ARRAY(
        SELECT n.ctid FROM notification n
        WHERE n.user_id IS NOT NULL AND NOT EXISTS (SELECT FROM app_user u WHERE u.id = n.user_id)
        LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM notifications) AS gone;

-- name: system_settings
WITH gone AS (
    DELETE FROM system_setting WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM system_setting
        WHERE class = 'ephemeral' AND updated_at < $1::timestamptz
        LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) AS gone FROM gone;

-- name: left_behind
-- $1: notifications' instant, $2: investments' day. Old enough, and still here: for the report.
SELECT
    (SELECT count(*) FROM notification WHERE created_at < $1::timestamptz) AS notifications,
    (SELECT count(*) FROM investment WHERE status = 'COMPLETED' AND last_accrual_on < $2::date) AS investments;
