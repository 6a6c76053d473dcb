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

-- name: open
-- $1: kind. $2: slots. $3: now. Answers with those that are this run's to serve, and who is looked at: of a new one
-- everybody, of one that was served before whoever came to the zone since, and a quarter of an hour before that, as what
-- was committed late says. The log of reminders sees to it that nobody is reminded twice.
WITH slot AS (
    SELECT * FROM jsonb_to_recordset($2::jsonb) AS s (zone text, date date, due_at timestamptz, skipped text, again boolean)
), opened AS (
    INSERT INTO reminder_slot (kind, zone, local_date, due_at, evaluated_at, outcome, reason)
    SELECT $1, zone, date, due_at, $3, CASE WHEN skipped IS NULL THEN 'served' ELSE 'skipped' END, skipped
    FROM slot WHERE NOT again
    ON CONFLICT DO NOTHING
    RETURNING zone, local_date
)
SELECT zone, local_date, '-infinity' AS since FROM opened
UNION ALL
SELECT r.zone, r.local_date, (r.evaluated_at - interval '15 minutes')::text
FROM slot s JOIN reminder_slot r ON r.kind = $1 AND r.zone = s.zone AND r.local_date = s.date AND r.outcome = 'served'
WHERE s.again;
