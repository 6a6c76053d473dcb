-- name: progress
SELECT count(*) FILTER (WHERE q.flight_id IS NULL OR q.state = 'DEAD') AS done, count(*) AS total
FROM flights.flight f LEFT JOIN flights.flight_processing_queue q ON q.flight_id = f.id;

-- name: billed
SELECT currency, count(*) AS flights, sum(enroute_total) AS en_route, sum(terminal_total) AS terminal,
    sum(subtotal) AS total
FROM flights.flight_invoice
WHERE superseded_by IS NULL
GROUP BY currency ORDER BY count(*) DESC, currency;

-- name: invoiced
SELECT i.number, c.name AS customer, to_char(i.period_start, 'DD Mon') || ' – ' || to_char(i.period_end, 'DD Mon YYYY') AS period, i.currency,
    (SELECT count(*) FROM flights.invoice_line l WHERE l.invoice_id = i.id) AS flights, i.total
FROM flights.invoice i JOIN flights.customer c ON c.id = i.customer_id
WHERE i.status <> 'VOID'
ORDER BY i.total DESC, i.number LIMIT 10;
