-- name: mark_overdue
-- $1: the instant. Unpaid and past due: local midnight after the due day and the days of grace, where the
-- customer is. The first condition on due_on only serves the index: no place is two days ahead of UTC.
-- Locked in order of id, as everyone does who locks several.
WITH due AS MATERIALIZED (
    SELECT i.id
    FROM flights.invoice i JOIN flights.customer c ON c.id = i.customer_id
    WHERE i.status = 'PENDING'
        AND i.due_on < ($1::timestamptz AT TIME ZONE 'UTC')::date + 2
        AND $1::timestamptz >= ((i.due_on + c.grace_days + 1)::timestamp AT TIME ZONE c.tz)
    ORDER BY i.id
    FOR NO KEY UPDATE OF i
), flipped AS (
    UPDATE flights.invoice i
    SET status = 'OVERDUE', overdue_at = $1::timestamptz
    FROM due
    WHERE i.id = due.id AND i.status = 'PENDING'
    RETURNING i.currency, i.total
)
SELECT currency, count(*) AS invoices, sum(total) AS total FROM flipped GROUP BY currency ORDER BY currency;
