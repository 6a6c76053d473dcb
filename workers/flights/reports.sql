-- $1, $2: the first and the last day. The newest first.

-- name: invoices
SELECT i.period_end, i.currency::text AS currency, count(*) AS invoices, sum(i.total) AS total, sum(i.tax) AS tax,
    coalesce(sum(i.total) FILTER (WHERE i.status = 'PAID'), 0) AS paid,
    coalesce(sum(i.total) FILTER (WHERE i.status IN ('DRAFT', 'PENDING')), 0) AS open,
    coalesce(sum(i.total) FILTER (WHERE i.status = 'OVERDUE'), 0) AS overdue,
    coalesce(sum(c.total), 0) AS credited
FROM invoice i
LEFT JOIN (SELECT invoice_id, sum(total) AS total FROM credit_note GROUP BY invoice_id) c ON c.invoice_id = i.id
WHERE i.period_end BETWEEN $1::date AND $2::date AND i.status <> 'VOID'
GROUP BY i.period_end, i.currency ORDER BY i.period_end DESC, i.currency;

-- name: charges
SELECT i.period_end, i.currency::text AS currency, count(DISTINCT l.flight_id) AS flights,
    sum(l.enroute_total) AS enroute, sum(l.terminal_total) AS terminal, count(*) FILTER (WHERE l.late) AS late
FROM invoice i JOIN invoice_line l ON l.invoice_id = i.id
WHERE i.period_end BETWEEN $1::date AND $2::date AND i.status <> 'VOID'
GROUP BY i.period_end, i.currency ORDER BY i.period_end DESC, i.currency;

-- name: not_invoiced
-- As it is now.
SELECT date_trunc('month', service_on::timestamp)::date AS month, currency::text AS currency,
    count(DISTINCT flight_id) AS flights, count(DISTINCT customer_id) AS customers, sum(subtotal) AS amount
FROM flight_invoice
WHERE invoice_id IS NULL AND superseded_by IS NULL AND outcome = 'CHARGED'
GROUP BY 1, 2 ORDER BY 1 DESC, 2;

-- name: dead_flights
-- As it is now. Errors that differ in what stands in them only, such as a flight or a day, are one.
SELECT reason, count(*) AS flights, min(next_attempt_at) AS oldest_at, max(next_attempt_at) AS newest_at,
    min(flight_id)::text AS example
FROM (
    SELECT flight_id, next_attempt_at,
        coalesce(left(regexp_replace(split_part(last_error, E'\n', 1), '(: for| on) .*$', ''), 200), 'nothing is known')
            AS reason
    FROM flight_processing_queue WHERE state = 'DEAD') d
GROUP BY reason ORDER BY flights DESC, reason;
