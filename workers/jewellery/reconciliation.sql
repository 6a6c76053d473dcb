-- name: checked
-- $1: payments, $2: now, $3: the first wait, $4: the longest. Each answer that leaves a payment open doubles the wait.
INSERT INTO payment_check AS c (payment_id, checks, last_checked_at, next_check_at)
SELECT DISTINCT payment_id, 1, $2::timestamptz, $2::timestamptz + $3::interval
FROM unnest($1::text[]) AS checked (payment_id) ORDER BY payment_id
ON CONFLICT (payment_id) DO UPDATE SET checks = c.checks + 1, last_checked_at = excluded.last_checked_at,
    next_check_at = excluded.last_checked_at + least($3::interval * 2 ^ least(c.checks, 20), $4::interval);
