-- name: kept
SELECT count(*) FROM jewellery.webhook_event;

-- name: worked
-- Seconds from an event's arrival to the transaction that worked it, of all that were: 99 of 100, and the worst.
SELECT count(*) AS events, percentile_disc(0.99) WITHIN GROUP (ORDER BY seconds) AS p99, max(seconds) AS worst
FROM (SELECT extract(epoch FROM processed_at - received_at)::float8 AS seconds FROM jewellery.webhook_event
      WHERE processed_at IS NOT NULL) AS worked;

-- name: time_flushes
ALTER SYSTEM SET track_wal_io_timing = on;

-- name: reload
SELECT pg_reload_conf();

-- name: forget
SELECT pg_stat_reset_shared('wal');

-- name: flush
-- Milliseconds that the disk took to make the log durable, on average.
SELECT coalesce(wal_sync_time / nullif(wal_sync, 0), 0)::float8 FROM pg_stat_wal;
