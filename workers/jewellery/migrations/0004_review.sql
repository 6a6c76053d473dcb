-- What a person decides about a payment in REVIEW is a source like the webhook and the reconciler.
ALTER TABLE jewellery.payment_transition DROP CONSTRAINT payment_transition_source_check;
ALTER TABLE jewellery.payment_transition ADD CONSTRAINT payment_transition_source_check
    CHECK (source IN ('webhook', 'reconciler', 'person')) NOT VALID;
ALTER TABLE jewellery.payment_transition VALIDATE CONSTRAINT payment_transition_source_check;
ALTER TABLE jewellery.order_status_history DROP CONSTRAINT order_status_history_source_check;
ALTER TABLE jewellery.order_status_history ADD CONSTRAINT order_status_history_source_check
    CHECK (source IN ('webhook', 'reconciler', 'shop', 'person')) NOT VALID;
ALTER TABLE jewellery.order_status_history VALIDATE CONSTRAINT order_status_history_source_check;

CREATE INDEX payment_transition_review ON jewellery.payment_transition (payment_id) WHERE new_status = 'REVIEW';
-- A shop may have put a view of its own under this name.
DO $$ BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'jewellery.payment'::regclass) = 'r' THEN
        CREATE INDEX payment_review ON jewellery.payment (created_at) WHERE status = 'REVIEW';
    END IF;
END $$;
