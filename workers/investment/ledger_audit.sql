-- name: days_to_audit
-- $1: up to this day, $2: at most so many. Days that are settled and were not audited since; none while a reversal
-- is under way, because what was paid in all is then between two figures. The newest first: old ones that never agree
-- must not keep it waiting.
SELECT d.accrual_date AS day, d.round, d.state
FROM accrual_day d LEFT JOIN audited_day a ON a.accrual_date = d.accrual_date AND a.round = d.round
WHERE d.accrual_date <= $1::date AND d.state IN ('PAID', 'REVERSED')
    AND (a.audited_at IS NULL OR a.audited_at < d.ended_at OR EXISTS (
        SELECT FROM parked_payout p WHERE p.accrual_date = d.accrual_date AND p.settled_at >= a.audited_at))
    AND NOT EXISTS (SELECT FROM accrual_day r WHERE r.state = 'REVERSING')
ORDER BY d.accrual_date DESC LIMIT $2;

-- name: days_asked_for
-- $1, $2: from and until, both included.
SELECT d.accrual_date AS day, d.round, d.state FROM accrual_day d
WHERE d.accrual_date BETWEEN $1::date AND $2::date AND d.state IN ('PAID', 'REVERSED')
    AND NOT EXISTS (SELECT FROM accrual_day r WHERE r.state = 'REVERSING')
ORDER BY d.accrual_date;

-- name: wallets
-- $1: at most so many. Balance against the ledger, per user and currency.
WITH booked AS (
    SELECT user_id, currency, sum(amount) AS amount FROM ledger WHERE status <> 'VOID' GROUP BY user_id, currency
)
SELECT 'wallet' AS what, NULL::date AS day, user_id, currency, NULL::text AS ref,
    coalesce(b.amount, 0) AS expected, coalesce(w.balance, 0) AS found, count(*) OVER () AS total
FROM wallet w FULL JOIN booked b USING (user_id, currency)
WHERE coalesce(b.amount, 0) <> coalesce(w.balance, 0)
ORDER BY user_id, currency LIMIT $1;

-- name: paid_totals
-- $1: at most so many. What each investment was paid in all, against its days that were not reversed.
WITH paid AS (
    SELECT r.investment_id, sum(r.amount) AS amount
    FROM roi_distribution r
    JOIN accrual_day d ON d.accrual_date = r.accrual_date AND d.round = r.round AND d.state IN ('PAYING', 'PAID')
    GROUP BY r.investment_id
), every AS (
    SELECT id, user_id, currency, paid_total FROM investment
    UNION ALL SELECT id, user_id, currency, paid_total FROM investment_archive
)
SELECT 'paid_total' AS what, NULL::date AS day, i.user_id, i.currency, coalesce(i.id, p.investment_id)::text AS ref,
    coalesce(p.amount, 0) AS expected, coalesce(i.paid_total, 0) AS found, count(*) OVER () AS total
FROM every i FULL JOIN paid p ON p.investment_id = i.id
WHERE coalesce(p.amount, 0) <> coalesce(i.paid_total, 0)
    AND NOT EXISTS (SELECT FROM accrual_day r WHERE r.state = 'REVERSING')
ORDER BY coalesce(i.id, p.investment_id) LIMIT $1;

-- name: roi_of_day
-- $1: the day, $2: its round, $3: at most so many. What the rates of the day say, against what was distributed.
-- What was paid before is what is paid now less this day and those after it. A day paid late (parked, or paid again
-- after a reversal) met a cap that later days had already used: there, less than the rates say may be right.
-- Not due: what was parked, cancelled, or entered when the day was over (in this transaction's zone, the suite's);
-- and people who are not active.
WITH since AS (
    SELECT r.investment_id, sum(r.amount) AS amount
    FROM roi_distribution r
    JOIN accrual_day d ON d.accrual_date = r.accrual_date AND d.round = r.round AND d.state IN ('PAYING', 'PAID')
    WHERE r.accrual_date >= $1::date
    GROUP BY r.investment_id
), every AS (
    SELECT id, user_id, plan_id, currency, principal, paid_total, status, activated_on, last_accrual_on, created_at
    FROM investment
    UNION ALL
    SELECT id, user_id, plan_id, currency, principal, paid_total, status, activated_on, last_accrual_on, created_at
    FROM investment_archive
), due AS (
    SELECT i.id, i.user_id, i.currency, i.status, i.created_at,
        greatest(0, least(round(i.principal * a.daily_rate, 2),
            round(i.principal * a.cap_ratio, 2) - i.paid_total + coalesce(s.amount, 0))) AS amount
    FROM every i
    JOIN accrual_rate a ON a.accrual_date = $1::date AND a.round = $2 AND a.plan_id = i.plan_id
    LEFT JOIN since s ON s.investment_id = i.id
    WHERE i.activated_on < $1::date AND i.last_accrual_on >= $1::date
), had AS (
    SELECT investment_id, user_id, currency, amount FROM roi_distribution WHERE accrual_date = $1::date AND round = $2
), compared AS (
    SELECT coalesce(h.user_id, d.user_id) AS user_id, coalesce(h.currency, d.currency) AS currency,
        coalesce(h.investment_id, d.id) AS id, coalesce(d.amount, 0) AS expected, coalesce(h.amount, 0) AS found,
        d.status, d.created_at
    FROM had h FULL JOIN due d ON d.id = h.investment_id AND d.user_id = h.user_id AND d.currency = h.currency
    WHERE coalesce(d.amount, 0) <> coalesce(h.amount, 0)
), judged AS (
    SELECT c.*, EXISTS (SELECT FROM parked_payout p WHERE p.accrual_date = $1::date AND p.investment_id = c.id) AS parked
    FROM compared c
)
SELECT 'roi' AS what, $1::date AS day, j.user_id, j.currency, j.id::text AS ref, j.expected, j.found,
    count(*) OVER () AS total
FROM judged j
WHERE (j.found > j.expected OR NOT (j.parked OR $2 > 1))
    AND (j.found > 0 OR (
        j.status IN ('ACTIVE', 'COMPLETED')
        AND j.created_at < ($1::date + 1)::timestamptz
        AND EXISTS (SELECT FROM app_user u WHERE u.id = j.user_id AND u.status = 'ACTIVE')))
ORDER BY j.id LIMIT $3;

-- name: commission_of_day
-- $1, $2, $3 as above. The uplines walked again as the payout walks them, against the commissions there are. Who is
-- not active now may have been active then: such a commission may be there or not.
WITH RECURSIVE up (investment_id, currency, amount, level, upline, path) AS (
    SELECT r.investment_id, r.currency, r.amount, 1, u.referrer_id, ARRAY[r.user_id]
    FROM roi_distribution r JOIN app_user u ON u.id = r.user_id
    WHERE r.accrual_date = $1::date AND r.round = $2 AND u.referrer_id IS NOT NULL
    UNION ALL
    SELECT up.investment_id, up.currency, up.amount, up.level + 1, u.referrer_id, up.path || u.id
    FROM up JOIN app_user u ON u.id = up.upline
    WHERE up.level < 5 AND u.referrer_id IS NOT NULL AND NOT up.upline = ANY (up.path)
), due AS (
    SELECT up.investment_id, up.level, up.upline AS user_id, up.currency, round(up.amount * l.rate, 2) AS amount, b.status
    FROM up
    JOIN accrual_level l ON l.accrual_date = $1::date AND l.round = $2 AND l.level = up.level
    JOIN app_user b ON b.id = up.upline
    WHERE NOT up.upline = ANY (up.path) AND round(up.amount * l.rate, 2) > 0
), had AS (
    SELECT investment_id, level, beneficiary_id AS user_id, currency, amount
    FROM commission WHERE accrual_date = $1::date AND round = $2
)
SELECT 'commission' AS what, $1::date AS day, coalesce(h.user_id, d.user_id) AS user_id,
    coalesce(h.currency, d.currency) AS currency,
    coalesce(h.level, d.level) || ':' || coalesce(h.investment_id, d.investment_id) AS ref,
    coalesce(d.amount, 0) AS expected, coalesce(h.amount, 0) AS found, count(*) OVER () AS total
FROM had h
FULL JOIN due d
    ON d.investment_id = h.investment_id AND d.level = h.level AND d.user_id = h.user_id AND d.currency = h.currency
WHERE coalesce(d.amount, 0) <> coalesce(h.amount, 0) AND (h.amount IS NOT NULL OR d.status = 'ACTIVE')
ORDER BY coalesce(h.investment_id, d.investment_id), coalesce(h.level, d.level) LIMIT $3;

-- name: ledger_of_day
-- $1: the day, $2: at most so many. Every distribution and commission of all its rounds has its ledger row, every
-- reversed one the opposite row too, and there are no others.
WITH day AS (
    SELECT accrual_date, round, state FROM accrual_day WHERE accrual_date = $1::date
), paid AS (
    SELECT 'ROI' AS kind, r.round, ':' || r.investment_id AS tail, r.user_id, r.currency, r.amount
    FROM roi_distribution r WHERE r.accrual_date = $1::date
    UNION ALL
    SELECT 'COMMISSION', c.round, ':' || c.level || ':' || c.investment_id, c.beneficiary_id, c.currency, c.amount
    FROM commission c WHERE c.accrual_date = $1::date
), named AS (
    SELECT kind, round, user_id, currency, amount,
        to_char($1::date, 'YYYY-MM-DD') || CASE WHEN round > 1 THEN '/' || round ELSE '' END || tail AS ref
    FROM paid
), due AS (
    SELECT kind, ref, user_id, currency, amount FROM named
    UNION ALL
    SELECT 'ADJUST', n.kind || ':' || n.ref, n.user_id, n.currency, -n.amount
    FROM named n CROSS JOIN day WHERE n.round < day.round OR day.state = 'REVERSED'
), had AS (
    SELECT kind::text AS kind, ref, user_id, currency, amount FROM ledger
    WHERE status <> 'VOID' AND kind IN ('ROI', 'COMMISSION')
        AND ref >= to_char($1::date, 'YYYY-MM-DD') AND ref < to_char($1::date, 'YYYY-MM-DD') || ';'
    UNION ALL
    SELECT 'ADJUST', l.ref, l.user_id, l.currency, l.amount
    FROM (VALUES ('ROI:'), ('COMMISSION:')) AS k (head)
    JOIN ledger l ON l.status <> 'VOID' AND l.kind = 'ADJUST'
        AND l.ref >= k.head || to_char($1::date, 'YYYY-MM-DD')
        AND l.ref < k.head || to_char($1::date, 'YYYY-MM-DD') || ';'
)
SELECT x.*, count(*) OVER (PARTITION BY x.what) AS total
FROM (
    SELECT CASE WHEN coalesce(h.kind, d.kind) = 'ROI' OR coalesce(h.ref, d.ref) LIKE 'ROI:%' THEN 'roi_ledger'
            ELSE 'commission_ledger' END AS what,
        $1::date AS day, coalesce(h.user_id, d.user_id) AS user_id, coalesce(h.currency, d.currency) AS currency,
        coalesce(h.ref, d.ref) AS ref, coalesce(d.amount, 0) AS expected, coalesce(h.amount, 0) AS found
    FROM had h
    FULL JOIN due d ON d.kind = h.kind AND d.ref = h.ref AND d.user_id = h.user_id AND d.currency = h.currency
    WHERE coalesce(d.amount, 0) <> coalesce(h.amount, 0)
) x
ORDER BY x.ref LIMIT $2;

-- name: keep_differences
INSERT INTO audit_difference (run_id, found_at, what, accrual_date, user_id, currency, ref, expected, found)
SELECT $1, $2, d.* FROM unnest(
    $3::text[], $4::date[], $5::bigint[], $6::text[], $7::text[], $8::numeric[], $9::numeric[]
) AS d (what, accrual_date, user_id, currency, ref, expected, found);

-- name: keep_audited
INSERT INTO audited_day (accrual_date, round, run_id, audited_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (accrual_date, round) DO UPDATE SET run_id = excluded.run_id, audited_at = excluded.audited_at;
