-- name: suspects
-- $1: the day. $2: its round. $3, $4: investments above, up to and including. $5: the day as references begin. $6: only
-- these; null for all. Investments that pay_range cannot pay because of what is there already: rows under the keys it
-- would write, and amounts that leave no room, the investor's or an upline's. To suspect one too many costs an attempt,
-- to miss one costs many.
WITH full_wallet AS MATERIALIZED (
    SELECT user_id, currency, balance FROM wallet WHERE balance >= 1e15
)
SELECT i.id
FROM investment i
JOIN accrual_rate r ON r.accrual_date = $1::date AND r.round = $2::smallint AND r.plan_id = i.plan_id
LEFT JOIN wallet w ON w.user_id = i.user_id AND w.currency = i.currency
CROSS JOIN LATERAL (
    SELECT least(round(i.principal * r.daily_rate, 2), round(i.principal * r.cap_ratio, 2) - i.paid_total) AS amount
) due
WHERE i.id > $3::bigint AND i.id <= $4::bigint AND ($6::bigint[] IS NULL OR i.id = ANY ($6))
  AND i.status IN ('ACTIVE', 'COMPLETED') AND i.activated_on < $1 AND i.last_accrual_on >= $1 AND due.amount > 0
  AND NOT EXISTS (SELECT FROM roi_distribution d
                  WHERE d.accrual_date = $1 AND d.round = $2 AND d.investment_id = i.id)
  AND (greatest(i.paid_total, w.balance) + due.amount >= 1e16
    OR CASE WHEN EXISTS (SELECT FROM full_wallet) THEN EXISTS ( -- else everybody's uplines would be looked up in vain
        SELECT FROM upline u
        JOIN full_wallet f ON f.user_id = u.beneficiary_id AND f.currency = i.currency
        JOIN accrual_level a ON a.accrual_date = $1 AND a.round = $2 AND a.level = u.level
        WHERE u.user_id = i.user_id AND u.active AND f.balance + round(due.amount * a.rate, 2) >= 1e16) END
    OR EXISTS (SELECT FROM ledger l WHERE l.ref = $5::text || ':' || i.id AND l.kind = 'ROI')
    OR EXISTS (SELECT FROM generate_series(1, 5) AS level (n)
               JOIN ledger l ON l.ref = $5 || ':' || level.n || ':' || i.id AND l.kind = 'COMMISSION')
    OR EXISTS (SELECT FROM generate_series(1, 5) AS level (n)
               JOIN commission c ON c.accrual_date = $1 AND c.round = $2 AND c.level = level.n AND c.investment_id = i.id))
ORDER BY i.id;
