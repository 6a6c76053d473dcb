-- name: mark_overdue
-- $1: the instant. Unpaid and past due: local midnight after the due day and the days of grace, where the
-- customer is. The first condition on due_on only serves the index: no place is two days ahead of UTC.
WITH flipped AS (
    UPDATE flights.invoice i
    SET status = 'OVERDUE', overdue_at = $1::timestamptz
    FROM flights.customer c
    WHERE c.id = i.customer_id AND i.status = 'PENDING'
        AND i.due_on < ($1::timestamptz AT TIME ZONE 'UTC')::date + 2
        AND $1::timestamptz >= ((i.due_on + c.grace_days + 1)::timestamp AT TIME ZONE c.tz)
    RETURNING i.currency, i.total
)
SELECT currency, count(*) AS invoices, sum(total) AS total FROM flipped GROUP BY currency ORDER BY currency;
