-- The rate of an issued invoice is as fixed as its tax: credit notes are reckoned with it.

CREATE OR REPLACE FUNCTION flights.guard_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> NEW.status AND NOT (OLD.status || '>' || NEW.status = ANY (
        '{DRAFT>PENDING,DRAFT>VOID,PENDING>OVERDUE,PENDING>PAID,PENDING>VOID,OVERDUE>PAID,OVERDUE>VOID}')) THEN
        RAISE EXCEPTION 'invoice %: % cannot become %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.status <> 'DRAFT' AND (OLD.series, OLD.number, OLD.customer_id, OLD.currency, OLD.subtotal, OLD.tax_rate,
                                  OLD.tax, OLD.total, OLD.period_start, OLD.period_end, OLD.issued_on, OLD.run_id)
        IS DISTINCT FROM (NEW.series, NEW.number, NEW.customer_id, NEW.currency, NEW.subtotal, NEW.tax_rate,
                          NEW.tax, NEW.total, NEW.period_start, NEW.period_end, NEW.issued_on, NEW.run_id) THEN
        RAISE EXCEPTION 'invoice %: issued, so it is corrected by a credit note', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = 'VOID' AND OLD.status <> 'VOID' THEN
        IF EXISTS (SELECT FROM flights.credit_note WHERE invoice_id = OLD.id) THEN
            RAISE EXCEPTION 'invoice %: credited already, so it cannot be void', OLD.id USING ERRCODE = 'check_violation';
        END IF;
        UPDATE flights.flight_invoice SET invoice_id = NULL WHERE invoice_id = OLD.id;
    END IF;
    RETURN NEW;
END $$;
