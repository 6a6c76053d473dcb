-- What a run of several transactions has done so far; emptied when it reports.
CREATE TABLE jewellery.run_tally (
    run_id bigint NOT NULL,
    step   text NOT NULL,
    rows   bigint NOT NULL,
    PRIMARY KEY (run_id, step)
);

-- What became of every due instant, in the columns of the table that the shop's earlier scripts wrote. It reads the
-- ledger, so that there is one truth: it goes back as far as the jobs' retention.
-- Two relations, so that no DELETE reaches the ledger through it.
CREATE VIEW jewellery.cron_log AS
SELECT r.id, split_part(r.job, '.', 2) AS task_name, r.state AS status,
    coalesce(r.error, r.reason, r.result::text, '') AS message,
    coalesce(r.finished_at, r.started_at, r.due_at) AS executed_at
FROM (VALUES ('jewellery.')) AS suite (prefix) JOIN sexton.run r ON starts_with(r.job, suite.prefix);
COMMENT ON COLUMN jewellery.cron_log.status IS 'as sexton.run.state: succeeded, failed, running, skipped, …';
