-- name: zones
-- Every zone that people live in, found by leaps over the index, and every one that somebody left.
WITH RECURSIVE leap AS (
    (SELECT tz FROM users ORDER BY tz LIMIT 1)
    UNION ALL
    SELECT (SELECT u.tz FROM users u WHERE u.tz > leap.tz ORDER BY u.tz LIMIT 1) FROM leap WHERE leap.tz IS NOT NULL
)
SELECT tz AS zone FROM leap WHERE tz IS NOT NULL
UNION
SELECT zone FROM zone_change;
