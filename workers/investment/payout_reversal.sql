-- $1 is the day, $2 its round, wherever both are there.

-- name: begin_reversal
-- $2: the run. No row: there is nothing to reverse, or the day is being paid.
UPDATE accrual_day d SET state = 'REVERSING', run_id = $2, began_at = sexton.clock(), ended_at = NULL
WHERE d.accrual_date = $1 AND (
    d.state IN ('PAID', 'REVERSING')
    OR d.state = 'PAYING' AND NOT EXISTS (
        SELECT FROM sexton.run r
        WHERE r.id = d.run_id AND r.state IN ('running', 'ready', 'waiting', 'held')))
RETURNING d.round;

-- name: reversed_up_to
-- The last investment that a reversal of the day has come to, if one began and did not end; 0 otherwise.
SELECT coalesce(max((r.cursor ->> 'after')::bigint), 0) AS investment
FROM accrual_day d JOIN sexton.run r ON r.id = d.run_id
WHERE d.accrual_date = $1 AND d.state = 'REVERSING';

-- name: stops
-- $3: after this investment. $4: so many at once. The last investment of each range.
SELECT coalesce(array_agg(investment_id ORDER BY investment_id), '{}') AS stops
FROM (SELECT investment_id, row_number() OVER (ORDER BY investment_id) AS nth,
          lead(investment_id) OVER (ORDER BY investment_id) IS NULL AS last
      FROM roi_distribution
      WHERE accrual_date = $1 AND round = $2 AND investment_id > $3) i
WHERE last OR nth % $4::int = 0;

-- name: reverse_range
-- $3, $4: investments above, up to and including. $5: now. $6: the day as references begin. Whatever was completed by
-- it is open again, and what was archived is back: the day may be paid once more.
WITH undone AS MATERIALIZED (
    SELECT 'ROI:' || $6::text || ':' || investment_id AS ref, investment_id, user_id, amount, currency, true AS own
    FROM roi_distribution
    WHERE accrual_date = $1::date AND round = $2::smallint AND investment_id > $3::bigint AND investment_id <= $4::bigint
    UNION ALL
    SELECT 'COMMISSION:' || $6 || ':' || level || ':' || investment_id, investment_id, beneficiary_id, amount, currency,
        false
    FROM commission
    WHERE accrual_date = $1 AND round = $2 AND level BETWEEN 1 AND 5 AND investment_id > $3 AND investment_id <= $4
), entered AS (
    INSERT INTO ledger (ref, kind, user_id, created_at, amount, currency)
    SELECT ref, 'ADJUST', user_id, $5::timestamptz, -amount, currency FROM undone ORDER BY ref COLLATE "C"
), charged AS (
    UPDATE wallet w SET balance = w.balance - c.amount
    FROM (SELECT user_id, currency, sum(amount) AS amount FROM undone GROUP BY user_id, currency) c
    WHERE w.user_id = c.user_id AND w.currency = c.currency
), reopened AS (
    UPDATE investment i
    SET paid_total = i.paid_total - u.amount,
        status = CASE i.status WHEN 'COMPLETED' THEN 'ACTIVE' ELSE i.status END
    FROM undone u WHERE u.own AND i.id = u.investment_id
), unarchived AS (
    DELETE FROM investment_archive i USING undone u WHERE u.own AND i.id = u.investment_id RETURNING i.*, u.amount
), reopened_from_archive AS (
    INSERT INTO investment (
        id, user_id, plan_id, activated_on, last_accrual_on, principal, paid_total, currency, status, created_at)
    SELECT id, user_id, plan_id, activated_on, last_accrual_on, principal, paid_total - amount, currency, 'ACTIVE',
        created_at
    FROM unarchived
)
SELECT count(*) FROM undone;

-- name: reversed
-- $3: the day as references begin. By kind of the entry that is undone, and currency.
SELECT split_part(d.ref, ':', 1) AS kind, d.currency, count(*) AS entries, sum(-l.amount) AS amount
FROM (SELECT 'ROI:' || $3::text || ':' || investment_id AS ref, currency
      FROM roi_distribution WHERE accrual_date = $1 AND round = $2
      UNION ALL
      SELECT 'COMMISSION:' || $3 || ':' || level || ':' || investment_id, currency
      FROM commission WHERE accrual_date = $1 AND round = $2) d
JOIN ledger l ON l.ref = d.ref AND l.kind = 'ADJUST'
GROUP BY 1, 2
ORDER BY 1 DESC, 2;
