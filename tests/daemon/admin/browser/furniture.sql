-- What a house has beside its ledger. Statements without parameters, one after the other, for a database of its own.
SET session_replication_role = replica;

INSERT INTO sexton.attempt (run, number, outcome, node, started_at, finished_at, error)
SELECT id, n, 'failed', NULL, started_at + n * interval '31 s', finished_at + n * interval '31 s', error
FROM sexton.run, generate_series(1, 3) n WHERE state = 'failed';

UPDATE sexton.run SET attempt = 3, failures = 3 WHERE state = 'failed';

INSERT INTO sexton.run_log (run, seq, at, level, line)
SELECT id, n, started_at + n * interval '0.3 s', CASE WHEN n % 17 = 0 THEN 'warning' ELSE 'info' END,
    CASE WHEN n % 17 = 0 THEN 'range retried after a deadlock through=' || n * 100
    ELSE 'range paid through=' || n * 100 || ' of=4200 credited=' || (n * 7919 % 90000) / 100.0 END
FROM sexton.run, generate_series(1, 42) n
WHERE job = 'investment.daily_roi_distribution' AND started_at > sexton.clock() - interval '3 days';

INSERT INTO flights.flight_processing_queue (flight_id, state, enqueued_at, attempts, failures, last_error)
SELECT 1200 + n, 'DEAD', sexton.clock() - n * interval '47 min', 5, 5,
    CASE WHEN n % 3 = 0 THEN 'FlightNotRatedError: no aircraft: for TEST' || n || ' on 2018-08-0' || n % 9 + 1
    ELSE 'FlightNotRatedError: no unit rate for LSAZ on 2018-08-0' || n % 9 + 1 END
FROM generate_series(1, 23) n;

INSERT INTO sexton.outbox (suite, recipient, address, channel, template, data, kind, dedupe_key, state, attempts,
    last_error, created_at, settled_at, provider_id, lease_owner)
SELECT 'investment', n::text, NULL, CASE WHEN n % 9 = 0 THEN 'sms' ELSE 'email' END,
    CASE WHEN n % 4 = 0 THEN 'weekly_summary' ELSE 'return_paid' END,
    jsonb_build_object('name', 'Asha Rao', 'amount', '125.00', 'currency', 'INR', 'date', '2026-11-22'),
    CASE WHEN n % 4 = 0 THEN 'promotional' ELSE 'transactional' END,
    'return-2026-11-' || n % 28 + 1 || '-' || n,
    CASE WHEN n % 9 = 0 THEN 'pending' WHEN n % 23 = 1 THEN 'failed' WHEN n % 31 = 2 THEN 'unknown'
        WHEN n % 19 = 3 THEN 'suppressed' ELSE 'sent' END,
    CASE WHEN n % 23 = 1 THEN 5 ELSE 1 END,
    CASE WHEN n % 23 = 1 THEN '550 5.1.1 <investor' || n || '@example.com>: Recipient address rejected: User unknown'
        WHEN n % 31 = 2 THEN 'the connection was lost after the last octet' WHEN n % 19 = 3 THEN 'unsubscribed' END,
    sexton.clock() - n * interval '11 min',
    CASE WHEN n % 9 <> 0 THEN sexton.clock() - n * interval '11 min' + interval '2 s' END, NULL, NULL
FROM generate_series(60, 1, -1) n;

INSERT INTO sexton.suppression (suite, recipient, channel, reason, address, at)
SELECT 'investment', n::text, 'email', CASE WHEN n % 3 = 0 THEN 'bounced: 550 5.1.1 User unknown' ELSE 'unsubscribed' END,
    CASE WHEN n % 3 = 0 THEN 'investor' || n || '@example.com' END, sexton.clock() - n * interval '3 days'
FROM generate_series(3, 11) n;

INSERT INTO sexton.node (incarnation, name, home, version, started_at, lease_until, dead_at, dead_reason)
VALUES (gen_random_uuid(), 'billing-2', 'billing-2:/var/lib/sexton', '0.1.0', sexton.clock() - interval '9 days',
    sexton.clock() - interval '5 h', sexton.clock() - interval '5 h', 'lease ran out: rescued by billing-1');

INSERT INTO sexton.audit (at, who, origin, action, target, reason, before, after)
SELECT sexton.clock() - n * interval '7 h', CASE WHEN n % 3 = 0 THEN 'grace' ELSE 'otto' END,
    CASE WHEN n % 3 = 0 THEN 'cli' ELSE 'browser 10.0.0.17' END,
    (ARRAY['retry', 'release', 'pause', 'resume', 'cancel'])[n % 5 + 1],
    CASE WHEN n % 5 IN (2, 3) THEN 'investment.weekly_report' ELSE 'run ' || 400 + n END,
    CASE WHEN n % 2 = 0 THEN 'unit rates of November were wrong' END,
    '{"state": "failed"}', '{"state": "ready"}'
FROM generate_series(20, 1, -1) n;

SET session_replication_role = DEFAULT;
