-- One invoice per customer, period and currency.

-- name: due_periods
-- $1: the business date, the day that has just ended. $2: these customers, or null for all. Those whose billing
-- period ends with that day: their week's or month's end, the day before their cycle changes, or the end of their
-- contract. Once a contract is over, what is rated late is still billed on the old rhythm. `final` periods
-- ignore the minimum, for there may be no next one to carry it to. least and greatest skip nulls. `records` says
-- how much work a customer will be.
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
SELECT customer_id, period_start, period_end, final, (
        SELECT count(*) FROM flights.flight_invoice r
        WHERE r.customer_id = p.customer_id AND r.service_on <= p.period_end AND r.invoice_id IS NULL
            AND r.superseded_by IS NULL AND r.outcome = 'CHARGED') AS records
FROM period p
WHERE period_end = $1::date AND ($2::bigint[] IS NULL OR customer_id = ANY ($2))
ORDER BY customer_id;

-- name: lock_customers
-- $1: customers. Whoever bills one of them waits here, and then sees what was billed. Rating does not.
SELECT id FROM flights.customer WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- name: bill
-- $1 to $4: customers with their periods and whether each is final. $5: date of issue. $6: prefix of the series.
-- $7: terms in days where the customer has none. $8: this run. Financial years begin on 1 April. The number of an
-- invoice is used only if it exists: a rollback gives the whole batch's back.
WITH due AS (
    SELECT d.customer_id, d.period_start, d.period_end, d.final, c.tax_rate, c.min_invoice_amount,
        $5::date + coalesce(c.terms_days, $7::int) AS due_on
    FROM unnest($1::bigint[], $2::date[], $3::date[], $4::bool[]) AS d (customer_id, period_start, period_end, final)
    JOIN flights.customer c ON c.id = d.customer_id
), already AS MATERIALIZED (
    SELECT i.customer_id, i.currency
    FROM due d
    JOIN flights.invoice i ON i.customer_id = d.customer_id AND i.period_start = d.period_start
        AND i.period_end = d.period_end AND i.status <> 'VOID'
), candidate AS MATERIALIZED (
    SELECT r.id, r.flight_id, r.customer_id, r.currency, r.service_on, r.enroute_total, r.terminal_total, r.subtotal
    FROM due d
    JOIN flights.flight_invoice r ON r.customer_id = d.customer_id AND r.service_on <= d.period_end
        AND r.invoice_id IS NULL AND r.superseded_by IS NULL AND r.outcome = 'CHARGED'
    WHERE NOT EXISTS (
        SELECT FROM already a WHERE a.customer_id = r.customer_id AND a.currency = r.currency)
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
        tax, total, status, issued_on, due_on, run_id)
    SELECT s.series, s.series || '/' || lpad((s.last_no - n.of_all + n.nth)::text, 6, '0'), n.customer_id,
        n.period_start, n.period_end, n.currency, n.subtotal, n.tax_rate, n.tax, n.subtotal + n.tax, 'PENDING',
        $5::date, n.due_on, $8::bigint
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
SELECT count(*) AS invoices FROM issued;

-- name: park
-- $1: customer. $2: business date. $3: why it cannot be billed. $4: this run.
INSERT INTO flights.parked_bill (customer_id, business_date, reason, run_id)
VALUES ($1, $2, $3, $4)
ON CONFLICT (customer_id, business_date) DO UPDATE
SET reason = excluded.reason, run_id = excluded.run_id, parked_at = excluded.parked_at, settled_by = NULL,
    settled_at = NULL;

-- name: settle
-- $1: customers just billed. $2: business date. $3: this run. Their earlier flights have come with this bill.
UPDATE flights.parked_bill
SET settled_by = $3, settled_at = sexton.clock()
WHERE customer_id = ANY ($1::bigint[]) AND business_date <= $2 AND settled_at IS NULL;

-- name: owed
-- Invoices with a line whose record was superseded later and which is not credited yet.
SELECT DISTINCT r.invoice_id
FROM flights.flight_invoice r JOIN flights.invoice i ON i.id = r.invoice_id AND i.status <> 'VOID'
WHERE r.superseded_by IS NOT NULL AND r.invoice_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM flights.credit_note n WHERE n.invoice_id = r.invoice_id AND n.flight_invoice_id = r.id)
ORDER BY r.invoice_id;

-- name: credit
-- $1: invoices. $2: date of issue. $3: prefix of the series. One credit note for each record that was superseded
-- after it had been invoiced; its successor is billed like any other. The tax of a note is what the tax of the
-- rest falls by, so that the notes of one invoice never come to more than its tax.
WITH owed AS MATERIALIZED (
    SELECT r.id, i.id AS invoice_id, i.currency, i.subtotal, i.tax_rate, i.number, l.amount
    FROM flights.invoice i
    JOIN flights.flight_invoice r ON r.invoice_id = i.id AND r.superseded_by IS NOT NULL
    JOIN flights.invoice_line l ON l.invoice_id = i.id AND l.flight_invoice_id = r.id
    WHERE i.id = ANY ($1::bigint[]) AND i.status <> 'VOID'
        AND NOT EXISTS (SELECT FROM flights.credit_note n WHERE n.invoice_id = i.id AND n.flight_invoice_id = r.id)
    ORDER BY i.id, r.id
    FOR UPDATE OF i, r
), rest AS (
    SELECT o.*, o.subtotal - coalesce(
            (SELECT sum(n.subtotal) FROM flights.credit_note n WHERE n.invoice_id = o.invoice_id), 0)
        - sum(o.amount) OVER (PARTITION BY o.invoice_id ORDER BY o.id) AS rest
    FROM owed o
), taxed AS (
    SELECT r.*, round((r.rest + r.amount) * r.tax_rate, 2) - round(r.rest * r.tax_rate, 2) AS tax,
        row_number() OVER (ORDER BY r.invoice_id, r.id) AS nth, count(*) OVER () AS of_all
    FROM rest r
), series AS (
    INSERT INTO flights.invoice_series AS s (series, last_no)
    SELECT $3::text || '/' || to_char($2::date - interval '3 months', 'YY') || '-'
        || to_char($2::date + interval '9 months', 'YY'), count(*)
    FROM taxed HAVING count(*) > 0
    ON CONFLICT (series) DO UPDATE SET last_no = s.last_no + excluded.last_no
    RETURNING series, last_no
), note AS (
    INSERT INTO flights.credit_note (series, number, invoice_id, flight_invoice_id, currency, subtotal, tax, total,
        reason, issued_on)
    SELECT s.series, s.series || '/' || lpad((s.last_no - t.of_all + t.nth)::text, 6, '0'), t.invoice_id, t.id,
        t.currency, t.amount, t.tax, t.amount + t.tax, 'rated again after ' || t.number, $2::date
    FROM taxed t CROSS JOIN series s
    ORDER BY t.nth
    RETURNING id
)
SELECT count(*) AS notes FROM note;

-- name: billed
-- $1: the run. What its invoices come to, whichever try made them.
SELECT i.currency, count(*) AS invoices, sum(i.total) AS total, sum(l.lines)::bigint AS lines, sum(l.late)::bigint AS late
FROM flights.invoice i
CROSS JOIN LATERAL (
    SELECT count(*) AS lines, count(*) FILTER (WHERE late) AS late
    FROM flights.invoice_line WHERE invoice_id = i.id) l
WHERE i.run_id = $1
GROUP BY i.currency
ORDER BY i.currency;

-- name: left
-- $1, $2: the customers that were due, and their periods' ends. $3: business date. $4: this run. Bills carried
-- forward, one per currency; customers parked by this run; and customers whose charges nobody will ever bill as
-- things are, because no cycle holds or they are not active.
WITH unbilled AS (
    SELECT DISTINCT d.customer_id, r.currency
    FROM unnest($1::bigint[], $2::date[]) AS d (customer_id, period_end)
    JOIN flights.flight_invoice r ON r.customer_id = d.customer_id AND r.service_on <= d.period_end
        AND r.invoice_id IS NULL AND r.superseded_by IS NULL AND r.outcome = 'CHARGED'
    WHERE NOT EXISTS (
        SELECT FROM flights.parked_bill p
        WHERE p.customer_id = d.customer_id AND p.business_date = $3::date AND p.settled_at IS NULL)
)
SELECT (SELECT count(*) FROM unbilled) AS carried,
    (SELECT count(*) FROM flights.parked_bill WHERE run_id = $4::bigint AND settled_at IS NULL) AS parked,
    (SELECT count(*) FROM flights.customer c
        WHERE (NOT c.active OR NOT EXISTS (
                SELECT FROM flights.billing_cycle y WHERE y.customer_id = c.id AND y.valid_from <= $3::date))
            AND EXISTS (
                SELECT FROM flights.flight_invoice r
                WHERE r.customer_id = c.id AND r.service_on <= $3::date AND r.invoice_id IS NULL
                    AND r.superseded_by IS NULL AND r.outcome = 'CHARGED')) AS stranded;
