-- name: history_there
SELECT to_regclass('sexton.migration') IS NOT NULL;

-- name: history
SELECT suite, version, checksum FROM sexton.migration ORDER BY applied_at, version;
