-- name: leave
-- $1: so many. One message a person, as a payout leaves them.
INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key)
SELECT 'investment', id::text, 'email', 'roi_digest',
    jsonb_build_object('date', '2026-03-10', 'purses', jsonb_build_object('INR', jsonb_build_object(
        'roi', round(id * 1.37, 2)::text, 'commission', round(id * 0.11, 2)::text))),
    'transactional', 'bench:' || id
FROM investment.app_user WHERE status = 'ACTIVE' AND NOT prefs ? 'opted_out'
ORDER BY id LIMIT $1;

-- name: now
SELECT sexton.clock();

-- name: under_way
SELECT EXISTS (SELECT FROM sexton.outbox
               WHERE channel = 'email' AND state = 'pending' AND kind IN ('transactional', 'promotional'))
    OR EXISTS (SELECT FROM sexton.outbox WHERE state = 'sending');

-- name: sent
-- How many were sent, when the last result was written, the most tries of one, and how many results one commit has
-- written: usually, and at most.
SELECT sum(n)::int AS sent, max(last) AS last, max(attempts) AS attempts,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY n) AS usual, max(n) AS most
FROM (SELECT count(*) AS n, max(attempts) AS attempts, max(settled_at) AS last
      FROM sexton.outbox WHERE state = 'sent' GROUP BY xmin::text) batch;
