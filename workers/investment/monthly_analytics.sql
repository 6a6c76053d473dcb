-- name: users_before
-- $1: a local day, $2: the zone. Everybody who had registered before it, those deleted since included.
SELECT count(*) FROM app_user WHERE created_at < $1::date::timestamp AT TIME ZONE $2::text;

-- name: plans
-- $1, $2: local days, the second not included. What was invested in each plan.
SELECT i.plan_id, p.name, i.currency, count(*) AS investments, sum(i.principal) AS invested
FROM (SELECT plan_id, currency, activated_on, principal FROM investment
      UNION ALL SELECT plan_id, currency, activated_on, principal FROM investment_archive) i
JOIN plan p ON p.id = i.plan_id
WHERE i.activated_on >= $1::date AND i.activated_on < $2::date
GROUP BY 1, 2, 3;

-- name: patterns
-- $1, $2 as above. How people invest: amounts, and how many do so for the first time.
WITH every AS (
    SELECT id, user_id, currency, activated_on, principal FROM investment
    UNION ALL SELECT id, user_id, currency, activated_on, principal FROM investment_archive
), opened AS (
    SELECT * FROM every WHERE activated_on >= $1::date AND activated_on < $2::date
), new AS (
    SELECT o.user_id FROM opened o
    WHERE NOT EXISTS (SELECT FROM every e WHERE e.user_id = o.user_id AND e.activated_on < $1::date)
)
SELECT currency, round(avg(principal), 2) AS average, percentile_disc(0.5) WITHIN GROUP (ORDER BY principal) AS median,
    min(principal) AS smallest, max(principal) AS largest, count(DISTINCT user_id) AS investors,
    count(DISTINCT user_id) FILTER (WHERE user_id IN (SELECT user_id FROM new)) AS first_time
FROM opened GROUP BY currency ORDER BY currency;

-- name: performance
-- $1, $2: local days, $3: the zone. How the platform's work went.
SELECT
    (SELECT count(*) FROM accrual_day WHERE accrual_date >= $1::date AND accrual_date < $2::date AND state = 'PAID')
        AS days_paid,
    (SELECT coalesce(extract(epoch FROM max(ended_at - began_at)), 0)::float8 FROM accrual_day
     WHERE accrual_date >= $1::date AND accrual_date < $2::date AND state = 'PAID') AS longest_payout_s,
    (SELECT count(*) FROM parked_payout WHERE accrual_date >= $1::date AND accrual_date < $2::date) AS parked,
    (SELECT count(*) FROM parked_payout
     WHERE accrual_date >= $1::date AND accrual_date < $2::date AND settled_at IS NULL) AS parked_open,
    h.health_checks, h.health_warning, h.health_critical, h.database_ms_average, h.database_ms_p95
FROM (
    SELECT count(*) AS health_checks,
        count(*) FILTER (WHERE severity = 'warning') AS health_warning,
        count(*) FILTER (WHERE severity = 'critical') AS health_critical,
        avg((checks -> 'database_ms' ->> 'value')::float8) AS database_ms_average,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY (checks -> 'database_ms' ->> 'value')::float8) AS database_ms_p95
    FROM health_check
    WHERE checked_at >= $1::date::timestamp AT TIME ZONE $3::text
        AND checked_at < $2::date::timestamp AT TIME ZONE $3::text
) h;

-- name: runs
-- $1, $2, $3 as above. This suite's jobs: how often, how well, how long.
SELECT job, count(*) FILTER (WHERE state = 'succeeded') AS succeeded, count(*) FILTER (WHERE state = 'failed') AS failed,
    count(*) FILTER (WHERE state = 'missed') AS missed,
    avg(extract(epoch FROM finished_at - started_at)) FILTER (WHERE state = 'succeeded')::float8 AS average_s
FROM sexton.run
WHERE job LIKE 'investment.%' AND due_at >= $1::date::timestamp AT TIME ZONE $3::text
    AND due_at < $2::date::timestamp AT TIME ZONE $3::text
GROUP BY job ORDER BY job;
