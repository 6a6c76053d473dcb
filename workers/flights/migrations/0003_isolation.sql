-- One customer that cannot be billed no longer holds up the others: it is parked with the reason.

ALTER TABLE flights.invoice ADD COLUMN run_id bigint;
COMMENT ON COLUMN flights.invoice.run_id IS 'the run of sexton.run that issued it';
CREATE INDEX invoice_run ON flights.invoice (run_id);

CREATE TABLE flights.parked_bill (
    customer_id   bigint NOT NULL REFERENCES flights.customer,
    business_date date NOT NULL,
    reason        text NOT NULL,
    run_id        bigint NOT NULL,
    parked_at     timestamptz NOT NULL DEFAULT sexton.clock(),
    settled_by    bigint,
    settled_at    timestamptz,
    PRIMARY KEY (customer_id, business_date),
    CHECK ((settled_by IS NULL) = (settled_at IS NULL))
);
COMMENT ON TABLE flights.parked_bill IS 'periods that could not be invoiced; billed by hand for the same business date, or with the next period';
COMMENT ON COLUMN flights.parked_bill.settled_by IS 'the first run that billed the customer up to that date';
CREATE INDEX parked_bill_open ON flights.parked_bill (customer_id) WHERE settled_at IS NULL;
CREATE INDEX parked_bill_run ON flights.parked_bill (run_id);

-- What a superseded record still owes its customer is looked for every night, among eight years of records.
CREATE INDEX flight_invoice_owed ON flights.flight_invoice (invoice_id)
    WHERE superseded_by IS NOT NULL AND invoice_id IS NOT NULL;
