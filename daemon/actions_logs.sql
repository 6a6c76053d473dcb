-- name: clean_logs
-- $1: of runs that ended longer ago than this. $2: at most so many lines. The runs themselves keep their retention.
DELETE FROM sexton.run_log l
WHERE (l.run, l.seq) IN (
    SELECT o.run, o.seq FROM sexton.run_log o JOIN sexton.run r ON r.id = o.run
    WHERE r.finished_at < sexton.clock() - $1::interval
    LIMIT $2);
