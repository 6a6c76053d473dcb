-- name: kept
SELECT count(*) FROM jewellery.webhook_event;

-- name: worked
-- Seconds from an event's arrival to the transaction that worked it, of all that were: 99 of 100, and the worst.
SELECT count(*) AS events, percentile_disc(0.99) WITHIN GROUP (ORDER BY seconds) AS p99, max(seconds) AS worst
FROM (SELECT extract(epoch FROM processed_at - received_at)::float8 AS seconds FROM jewellery.webhook_event
      WHERE processed_at IS NOT NULL) AS worked;
