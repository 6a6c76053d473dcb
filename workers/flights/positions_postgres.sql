-- Tracks from the suite's own table, for installations without Pinot.

-- name: track
-- $1: flight. $2, $3: from, to. One index range of the primary key, already in order. Float seconds, because
-- making a datetime of every position costs more than fetching it.
SELECT extract(epoch FROM p.at)::float8 AS at, p.latitude, p.longitude
FROM flights.flight_position p
WHERE p.flight_id = $1 AND p.at BETWEEN $2 AND $3
ORDER BY p.at
LIMIT $4;
