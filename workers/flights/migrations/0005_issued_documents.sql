-- What was issued stays: neither lines nor credit notes change, and nothing is deleted, for that would leave a gap in
-- the numbers. When an invoice was paid or void is known without anybody's saying so.

CREATE FUNCTION flights.guard_issued() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    its_id bigint := to_jsonb(OLD) ->> CASE TG_TABLE_NAME WHEN 'invoice' THEN 'id' ELSE 'invoice_id' END;
BEGIN
    IF (SELECT status FROM flights.invoice WHERE id = its_id) <> 'DRAFT' THEN
        RAISE EXCEPTION 'invoice %: issued, so its % is neither edited nor deleted', its_id, TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep BEFORE DELETE ON flights.invoice FOR EACH ROW EXECUTE FUNCTION flights.guard_issued();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON flights.invoice_line
    FOR EACH ROW EXECUTE FUNCTION flights.guard_issued();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON flights.credit_note
    FOR EACH ROW EXECUTE FUNCTION flights.guard_issued();

CREATE FUNCTION flights.stamp_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'PAID' THEN
        NEW.paid_at := coalesce(NEW.paid_at, sexton.clock());
    ELSE
        NEW.voided_at := coalesce(NEW.voided_at, sexton.clock());
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stamp BEFORE UPDATE ON flights.invoice FOR EACH ROW
    WHEN (NEW.status <> OLD.status AND NEW.status IN ('PAID', 'VOID')) EXECUTE FUNCTION flights.stamp_invoice();
