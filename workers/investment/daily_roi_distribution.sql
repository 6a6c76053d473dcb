-- $1 is the day, $2 its round, wherever both are there.

-- name: prepare_for_many
-- Sorts and hashes of a whole range stay in memory, and plans are made for the range at hand. A range is a good part of
-- the house: to read its users through takes a third of the time of looking them up, which the planner would do,
-- because it cannot know how many of a range are due.
SELECT set_config('work_mem', '256MB', true), set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('enable_nestloop', 'off', true), set_config('enable_seqscan', 'on', true);

-- name: prepare_for_few
-- A piece of a range is looked up row by row: reading everybody through again for each costs a second, and so
-- does what this transaction has added to tables that the planner believes to be empty. One plan serves all of them,
-- because planning takes longer than paying a row.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_nestloop', 'on', true),
    set_config('enable_seqscan', 'off', true);

-- name: stops
-- $1: after this investment. $2: so many at once, at most. The last investment of each range; ranges are of one size,
-- because a small one reads as many users as a large one.
SELECT coalesce(array_agg(last ORDER BY last), '{}') AS stops
FROM (SELECT max(id) AS last
      FROM (SELECT id, ntile((SELECT greatest(ceil(count(*)::numeric / $2::int), 1)::int FROM investment WHERE id > $1))
                OVER (ORDER BY id) AS part
            FROM investment WHERE id > $1) i
      GROUP BY part) p;

-- name: pay_range
-- $3, $4: investments above, up to and including. $5: the run. $6: now. $7: the day as references begin.
-- $8: whether the suspended earn. $9: only these investments; null for all. $10: but not these.
-- Who is due is decided by dates and by what is paid already, never by today's status alone: a day that is made up
-- for pays those who have been completed since. Rows are written in the order of their keys, which is what makes a
-- day's index entries cheap. What is written first here is written last: wallets, which others wait for.
WITH due AS MATERIALIZED (
    SELECT i.id, i.currency, r.daily_rate AS rate,
        least(round(i.principal * r.daily_rate, 2), round(i.principal * r.cap_ratio, 2) - i.paid_total) AS amount, u.*
    FROM investment i
    JOIN accrual_rate r ON r.accrual_date = $1::date AND r.round = $2::smallint AND r.plan_id = i.plan_id
    JOIN upline_chain u ON u.user_id = i.user_id AND (u.status = 'ACTIVE' OR u.status = 'SUSPENDED' AND $8::bool)
    WHERE i.id > $3::bigint AND i.id <= $4::bigint AND ($9::bigint[] IS NULL OR i.id = ANY ($9))
      AND i.id <> ALL ($10::bigint[])
      AND i.status IN ('ACTIVE', 'COMPLETED') AND i.activated_on < $1 AND i.last_accrual_on >= $1
      AND least(round(i.principal * r.daily_rate, 2), round(i.principal * r.cap_ratio, 2) - i.paid_total) > 0
      AND NOT EXISTS (SELECT FROM roi_distribution d
                      WHERE d.accrual_date = $1 AND d.round = $2 AND d.investment_id = i.id
                        AND d.investment_id > $3 AND d.investment_id <= $4) -- else the planner reads the whole day for each
    ORDER BY i.id
), level AS MATERIALIZED (
    SELECT level, rate FROM accrual_level WHERE accrual_date = $1 AND round = $2
), share AS MATERIALIZED (
    SELECT * FROM (
        SELECT 1::smallint AS level, id, first_id AS beneficiary_id, first_active AS active, l.rate,
            round(amount * l.rate, 2) AS amount, currency
        FROM due JOIN level l ON l.level = 1
        UNION ALL
        SELECT 2, id, second_id, second_active, l.rate, round(amount * l.rate, 2), currency
        FROM due JOIN level l ON l.level = 2
        UNION ALL
        SELECT 3, id, third_id, third_active, l.rate, round(amount * l.rate, 2), currency
        FROM due JOIN level l ON l.level = 3
        UNION ALL
        SELECT 4, id, fourth_id, fourth_active, l.rate, round(amount * l.rate, 2), currency
        FROM due JOIN level l ON l.level = 4
        UNION ALL
        SELECT 5, id, fifth_id, fifth_active, l.rate, round(amount * l.rate, 2), currency
        FROM due JOIN level l ON l.level = 5
    ) s
    WHERE beneficiary_id IS NOT NULL AND amount > 0
), credit AS MATERIALIZED (
    SELECT c.user_id, c.currency, sum(c.amount) AS amount
    FROM (SELECT user_id, currency, amount FROM due
          UNION ALL
          SELECT beneficiary_id, currency, amount FROM share WHERE active) c
    GROUP BY c.user_id, c.currency
    ORDER BY c.user_id, c.currency
), credited AS (
    INSERT INTO wallet AS w (user_id, currency, balance)
    SELECT user_id, currency, amount FROM credit
    ON CONFLICT (user_id, currency) DO UPDATE SET balance = w.balance + excluded.balance
), accrued AS (
    UPDATE investment i SET paid_total = i.paid_total + d.amount
    FROM due d WHERE i.id = d.id AND i.id > $3 AND i.id <= $4
), distributed AS (
    INSERT INTO roi_distribution (accrual_date, round, investment_id, user_id, run_id, rate, amount, currency)
    SELECT $1, $2, id, user_id, $5::bigint, rate, amount, currency FROM due
), shared AS (
    INSERT INTO commission (accrual_date, round, level, investment_id, beneficiary_id, rate, amount, currency)
    SELECT $1, $2, level, id, beneficiary_id, rate, amount, currency FROM share WHERE active
), entered AS (
    INSERT INTO ledger (ref, kind, user_id, created_at, amount, currency)
    SELECT $7::text || ':' || level || ':' || id, 'COMMISSION'::ledger_kind, beneficiary_id, $6::timestamptz, amount,
        currency
    FROM share WHERE active
    UNION ALL
    SELECT $7 || ':' || id, 'ROI', user_id, $6, amount, currency FROM due
), settled AS (
    UPDATE parked_payout p SET settled_by = $5, settled_at = $6
    FROM due d WHERE p.accrual_date = $1 AND p.investment_id = d.id AND p.settled_at IS NULL
), counted AS (
    INSERT INTO accrual_total AS t (accrual_date, round, run_id, currency, level, payments, amount, forfeited)
    SELECT $1, $2, $5, currency, 0, count(*), sum(amount), 0 FROM due GROUP BY currency
    UNION ALL
    SELECT $1, $2, $5, currency, level, count(*) FILTER (WHERE active),
        coalesce(sum(amount) FILTER (WHERE active), 0), count(*) FILTER (WHERE NOT active)
    FROM share GROUP BY currency, level
    ON CONFLICT (accrual_date, round, run_id, currency, level) DO UPDATE
    SET payments = t.payments + excluded.payments, amount = t.amount + excluded.amount,
        forfeited = t.forfeited + excluded.forfeited
)
SELECT count(*) FROM due;

-- name: tell_investors
-- $3: the run. $4: how keys begin. $5: only these investments, as far as this run paid them; null for all. $6: now.
-- One message a person and day, whatever they earned and through whom. A day that another run has paid a part of may be
-- so old that its messages have been purged: then the outbox knows them by their keys' hashes only.
WITH purse AS (
    SELECT user_id, currency, coalesce(sum(amount) FILTER (WHERE own), 0) AS roi,
        coalesce(sum(amount) FILTER (WHERE NOT own), 0) AS commission
    FROM (SELECT user_id, currency, amount, true AS own
          FROM roi_distribution
          WHERE accrual_date = $1::date AND round = $2::smallint
            AND ($5::bigint[] IS NULL OR investment_id = ANY ($5) AND run_id = $3::bigint)
          UNION ALL
          SELECT c.beneficiary_id, c.currency, c.amount, false
          FROM commission c
          WHERE c.accrual_date = $1 AND c.round = $2
            AND ($5 IS NULL OR c.investment_id = ANY ($5) AND EXISTS (
                SELECT FROM roi_distribution d
                WHERE d.accrual_date = $1 AND d.round = $2 AND d.investment_id = c.investment_id AND d.run_id = $3))
         ) p
    GROUP BY user_id, currency
), letter AS (
    SELECT user_id::text AS recipient, jsonb_build_object('date', $1, 'purses', jsonb_object_agg(
        currency, jsonb_build_object('roi', roi::text, 'commission', commission::text))) AS data
    FROM purse GROUP BY user_id
)
INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, run, not_before, created_at)
SELECT 'investment', recipient, 'email', 'roi_digest', data, 'transactional', $4::text || ':' || recipient, $3,
    $6::timestamptz, $6
FROM letter
WHERE NOT EXISTS (SELECT FROM accrual_total WHERE accrual_date = $1 AND round = $2 AND run_id <> $3)
    OR NOT EXISTS (SELECT FROM sexton.outbox_key k
                   WHERE k.hash = sha256(convert_to($4 || ':' || recipient, 'UTF8')))
ORDER BY recipient COLLATE "C"
ON CONFLICT (dedupe_key) DO NOTHING;

-- name: earlier_days_settled
-- $1: the day that is being paid; a day's run is due the day after. See CatchUp.EACH.
SELECT NOT EXISTS (
    SELECT FROM sexton.run
    WHERE job = 'investment.daily_roi_distribution' AND logical_date <= $1::date AND NOT again
      AND state NOT IN ('succeeded', 'skipped', 'missed') AND waived_by IS NULL);

-- name: close_matured
-- Those whose last day is over, and those that have all their cap allows.
UPDATE investment i SET status = 'COMPLETED'
WHERE i.status = 'ACTIVE' AND i.activated_on < $1::date AND (
    i.last_accrual_on <= $1
    OR EXISTS (SELECT FROM accrual_rate r
               WHERE r.accrual_date = $1 AND r.round = $2::smallint AND r.plan_id = i.plan_id
                 AND i.paid_total >= round(i.principal * r.cap_ratio, 2)));

-- name: paid_by_run
-- $3: the run.
SELECT currency, level, payments, amount, forfeited
FROM accrual_total WHERE accrual_date = $1 AND round = $2 AND run_id = $3
ORDER BY currency, level;
