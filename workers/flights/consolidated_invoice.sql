-- One invoice per customer, period and currency.

-- name: due_periods
-- $1: the business date, the day that has just ended. $2: resume after this customer. Customers whose billing
-- period ends with that day: their week's or month's end, the day before their cycle changes, or the end of their
-- contract. Once a contract is over, what is rated late is still billed on the old rhythm. `final` periods
-- ignore the minimum, for there may be no next one to carry it to. least and greatest skip nulls.
WITH cycle AS (
    SELECT customer_id, frequency, week_end_isodow, valid_from,
        lead(valid_from) OVER (PARTITION BY customer_id ORDER BY valid_from) - 1 AS valid_to
    FROM flights.billing_cycle
), whole AS (
    SELECT c.id, c.contract_start, c.contract_end, y.valid_from, y.valid_to,
        CASE y.frequency WHEN 'MONTHLY' THEN date_trunc('month', $1::date::timestamp)::date
            ELSE $1::date + (y.week_end_isodow - extract(isodow FROM $1::date)::int + 7) % 7 - 6 END AS first,
        CASE y.frequency WHEN 'MONTHLY'
            THEN (date_trunc('month', $1::date::timestamp) + interval '1 month')::date - 1
            ELSE $1::date + (y.week_end_isodow - extract(isodow FROM $1::date)::int + 7) % 7 END AS last
    FROM flights.customer c JOIN cycle y ON y.customer_id = c.id
    WHERE c.active AND c.contract_start <= $1::date
        AND $1::date BETWEEN y.valid_from AND coalesce(y.valid_to, 'infinity')
), period AS (
    SELECT id AS customer_id,
        greatest(first, valid_from, contract_start, CASE WHEN contract_end < $1::date THEN contract_end + 1 END)
            AS period_start,
        least(last, valid_to, CASE WHEN contract_end >= $1::date THEN contract_end END) AS period_end,
        coalesce(contract_end <= $1::date, false) AS final
    FROM whole
)
SELECT customer_id, period_start, period_end, final
FROM period
WHERE period_end = $1::date AND customer_id > $2::bigint
ORDER BY customer_id;

-- name: lock_customers
-- $1: customers. Whoever bills one of them waits here, and then sees what was billed. Rating does not.
SELECT id FROM flights.customer WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- name: bill
-- $1 to $4: customers with their periods and whether each is final. $5: date of issue. $6: prefix of the series.
-- $7: terms in days where the customer has none. Financial years begin on 1 April. The number of an invoice is
-- used only if it exists: a rollback gives the whole batch's back.
WITH due AS (
    SELECT d.customer_id, d.period_start, d.period_end, d.final, c.tax_rate, c.min_invoice_amount,
        $5::date + coalesce(c.terms_days, $7::int) AS due_on
    FROM unnest($1::bigint[], $2::date[], $3::date[], $4::bool[]) AS d (customer_id, period_start, period_end, final)
    JOIN flights.customer c ON c.id = d.customer_id
), candidate AS MATERIALIZED (
    SELECT r.id, r.flight_id, r.customer_id, r.currency, r.service_on, r.enroute_total, r.terminal_total, r.subtotal
    FROM due d
    JOIN flights.flight_invoice r ON r.customer_id = d.customer_id AND r.service_on <= d.period_end
        AND r.invoice_id IS NULL AND r.superseded_by IS NULL AND r.outcome = 'CHARGED'
    WHERE NOT EXISTS (
        SELECT FROM flights.invoice i
        WHERE i.customer_id = d.customer_id AND i.period_start = d.period_start AND i.period_end = d.period_end
            AND i.currency = r.currency AND i.status <> 'VOID')
    ORDER BY r.id
    FOR UPDATE OF r
), bill AS (
    SELECT customer_id, currency, sum(subtotal) AS subtotal FROM candidate GROUP BY customer_id, currency
), judged AS (
    SELECT b.customer_id, b.currency, b.subtotal, d.period_start, d.period_end, d.tax_rate, d.due_on,
        round(b.subtotal * d.tax_rate, 2) AS tax, d.final OR b.subtotal >= d.min_invoice_amount AS billed
    FROM bill b JOIN due d ON d.customer_id = b.customer_id
), numbered AS (
    SELECT j.*, row_number() OVER (ORDER BY customer_id, currency) AS nth, count(*) OVER () AS of_all
    FROM judged j WHERE billed
), series AS (
    INSERT INTO flights.invoice_series AS s (series, last_no)
    SELECT $6::text || '/' || to_char($5::date - interval '3 months', 'YY') || '-'
        || to_char($5::date + interval '9 months', 'YY'), count(*)
    FROM numbered HAVING count(*) > 0
    ON CONFLICT (series) DO UPDATE SET last_no = s.last_no + excluded.last_no
    RETURNING series, last_no
), issued AS (
    INSERT INTO flights.invoice (series, number, customer_id, period_start, period_end, currency, subtotal, tax_rate,
        tax, total, status, issued_on, due_on)
    SELECT s.series, s.series || '/' || lpad((s.last_no - n.of_all + n.nth)::text, 6, '0'), n.customer_id,
        n.period_start, n.period_end, n.currency, n.subtotal, n.tax_rate, n.tax, n.subtotal + n.tax, 'PENDING',
        $5::date, n.due_on
    FROM numbered n CROSS JOIN series s
    ORDER BY n.nth
    RETURNING id, customer_id, currency, period_start, total
), line AS (
    INSERT INTO flights.invoice_line (invoice_id, seq, flight_invoice_id, flight_id, callsign, service_on,
        enroute_total, terminal_total, amount, late)
    SELECT i.id, row_number() OVER (PARTITION BY i.id ORDER BY r.service_on, r.flight_id), r.id, r.flight_id,
        f.callsign, r.service_on, r.enroute_total, r.terminal_total, r.subtotal, r.service_on < i.period_start
    FROM issued i
    JOIN candidate r ON r.customer_id = i.customer_id AND r.currency = i.currency
    JOIN flights.flight f ON f.id = r.flight_id
    RETURNING invoice_id, late
), taken AS (
    UPDATE flights.flight_invoice r
    SET invoice_id = i.id
    FROM issued i JOIN candidate c ON c.customer_id = i.customer_id AND c.currency = i.currency
    WHERE r.id = c.id
)
SELECT count(*) FILTER (WHERE NOT billed) AS carried FROM judged;

-- name: credit
-- $1: date of issue. $2: prefix of the series. One credit note for each record that was superseded after it had
-- been invoiced; its successor is billed like any other.
WITH owed AS MATERIALIZED (
    SELECT r.id, r.invoice_id, i.currency, l.amount, round(l.amount * i.tax_rate, 2) AS tax, i.number
    FROM flights.flight_invoice r
    JOIN flights.invoice i ON i.id = r.invoice_id AND i.status <> 'VOID'
    JOIN flights.invoice_line l ON l.invoice_id = i.id AND l.flight_invoice_id = r.id
    WHERE r.superseded_by IS NOT NULL
        AND NOT EXISTS (SELECT FROM flights.credit_note n WHERE n.invoice_id = i.id AND n.flight_invoice_id = r.id)
    ORDER BY r.id
    FOR UPDATE OF r, i
), series AS (
    INSERT INTO flights.invoice_series AS s (series, last_no)
    SELECT $2::text || '/' || to_char($1::date - interval '3 months', 'YY') || '-'
        || to_char($1::date + interval '9 months', 'YY'), count(*)
    FROM owed HAVING count(*) > 0
    ON CONFLICT (series) DO UPDATE SET last_no = s.last_no + excluded.last_no
    RETURNING series, last_no
), note AS (
    INSERT INTO flights.credit_note (series, number, invoice_id, flight_invoice_id, currency, subtotal, tax, total,
        reason, issued_on)
    SELECT s.series, s.series || '/' || lpad((s.last_no - count(*) OVER () + row_number() OVER (ORDER BY o.id))::text,
            6, '0'),
        o.invoice_id, o.id, o.currency, o.amount, o.tax, o.amount + o.tax, 'rated again after ' || o.number, $1::date
    FROM owed o CROSS JOIN series s
    RETURNING id
)
SELECT count(*) AS notes FROM note;

-- name: billed
-- $1: the business date. What its invoices come to, whichever try made them.
SELECT i.currency, count(*) AS invoices, sum(i.total) AS total, sum(l.lines)::bigint AS lines, sum(l.late)::bigint AS late
FROM flights.invoice i
CROSS JOIN LATERAL (
    SELECT count(*) AS lines, count(*) FILTER (WHERE late) AS late
    FROM flights.invoice_line WHERE invoice_id = i.id) l
WHERE i.period_end = $1::date AND i.status <> 'VOID'
GROUP BY i.currency
ORDER BY i.currency;
