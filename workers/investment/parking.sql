-- $1 is the day everywhere.

-- name: park
-- $2: the investment. $3: why. $4: the run.
INSERT INTO parked_payout AS p (accrual_date, investment_id, reason, run_id)
VALUES ($1::date, $2, $3, $4)
ON CONFLICT (accrual_date, investment_id) DO UPDATE
SET reason = excluded.reason, run_id = excluded.run_id, parked_at = sexton.clock(), settled_by = NULL, settled_at = NULL;

-- name: park_unrated
-- $3, $4: investments above, up to and including. $5: the run. $6: whether the suspended earn. $7: only these; null
-- for all. Plans without a rate for the day.
INSERT INTO parked_payout AS p (accrual_date, investment_id, reason, run_id)
SELECT $1::date, i.id, format('plan %s has no rate for %s', i.plan_id, $1), $5::bigint
FROM investment i
JOIN app_user u ON u.id = i.user_id AND (u.status = 'ACTIVE' OR u.status = 'SUSPENDED' AND $6::bool)
WHERE i.id > $3::bigint AND i.id <= $4::bigint AND ($7::bigint[] IS NULL OR i.id = ANY ($7))
  AND i.status IN ('ACTIVE', 'COMPLETED') AND i.activated_on < $1 AND i.last_accrual_on >= $1
  AND NOT EXISTS (SELECT FROM accrual_rate r
                  WHERE r.accrual_date = $1 AND r.round = $2::smallint AND r.plan_id = i.plan_id)
ON CONFLICT (accrual_date, investment_id) DO UPDATE
SET reason = excluded.reason, run_id = excluded.run_id, parked_at = sexton.clock(), settled_by = NULL, settled_at = NULL;

-- name: parked
-- $2: the run. How many it could not pay, why the last of them, and how many it came to.
SELECT count(*) AS parked, max(reason) AS reason,
    count(*) + (SELECT coalesce(sum(payments), 0) FROM accrual_total
                WHERE accrual_date = $1 AND run_id = $2 AND level = 0)::bigint AS due
FROM parked_payout WHERE accrual_date = $1 AND run_id = $2 AND settled_at IS NULL;

-- name: still_parked
-- $2: the run. $3: at most so many.
SELECT investment_id, reason FROM parked_payout
WHERE accrual_date = $1 AND run_id = $2 AND settled_at IS NULL
ORDER BY investment_id LIMIT $3;
