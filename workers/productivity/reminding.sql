-- name: zones
-- $1: kind. Every zone with people, found by leaps over the index, and the last date that was dealt with there.
WITH RECURSIVE leap AS (
    (SELECT tz FROM users ORDER BY tz LIMIT 1)
    UNION ALL
    SELECT (SELECT u.tz FROM users u WHERE u.tz > leap.tz ORDER BY u.tz LIMIT 1) FROM leap WHERE leap.tz IS NOT NULL
)
SELECT leap.tz AS zone,
    (SELECT max(s.local_date) FROM reminder_slot s WHERE s.kind = $1 AND s.zone = leap.tz) AS last
FROM leap WHERE leap.tz IS NOT NULL;

-- name: served_before
-- $1: kind. $2: slots. Of those that were served before, who is looked at: whoever came to the zone since, and a quarter of
-- an hour before that, as what was committed late says. The log of reminders sees to it that nobody is reminded twice.
SELECT r.zone, r.local_date, (r.evaluated_at - interval '15 minutes')::text AS since
FROM jsonb_to_recordset($2::jsonb) AS s (zone text, date date)
JOIN reminder_slot r ON r.kind = $1 AND r.zone = s.zone AND r.local_date = s.date AND r.outcome = 'served';

-- name: batch_ends
-- $1: zones. $2: people that a batch has at most, of whatever zone. With whom each full batch ends, by id; none, if no more
-- than that live in the zones. Both are read off indexes: to pick out the zones' people would cost more than it spares.
SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM users) u
WHERE nth % $2::bigint = 0
    AND (SELECT count(*) FROM (SELECT FROM users WHERE tz = ANY ($1::text[]) LIMIT $2 + 1) few) > $2
ORDER BY id;

-- name: note
-- $1: kind. $2: slots. $3: now. They have been dealt with.
INSERT INTO reminder_slot (kind, zone, local_date, due_at, evaluated_at, outcome, reason)
SELECT $1, zone, date, due_at, $3, CASE WHEN skipped IS NULL THEN 'served' ELSE 'skipped' END, skipped
FROM jsonb_to_recordset($2::jsonb) AS s (zone text, date date, due_at timestamptz, skipped text)
ON CONFLICT DO NOTHING;
