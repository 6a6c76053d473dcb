-- Saving rated flights. Called inside the queue's fenced transaction, with many flights at once.

-- name: live_records
-- $1: flights. Usually none: a flight is rated once. Locked, so that no invoice takes them while they are replaced.
SELECT id, flight_id, customer_id, service_on, currency, digest
FROM flights.flight_invoice
WHERE flight_id = ANY ($1::bigint[]) AND superseded_by IS NULL
ORDER BY id
FOR UPDATE;

-- name: reserve_ids
-- $1: how many. Charges refer to their record, and both are inserted as sets, so keys come first.
SELECT nextval(pg_get_serial_sequence('flights.flight_invoice', 'id')) AS id FROM generate_series(1, $1::int);

-- name: supersede
-- $1: old records. $2: what replaces each; possibly not inserted yet, which the deferred foreign key allows.
UPDATE flights.flight_invoice old
SET superseded_by = replaced.by_id
FROM unnest($1::bigint[], $2::bigint[]) AS replaced (id, by_id)
WHERE old.id = replaced.id AND old.superseded_by IS NULL;

-- name: insert_records
-- $8: flags, one a line. A live record of the same flight and currency wins, and its rival's charges stay out.
INSERT INTO flights.flight_invoice
    (id, flight_id, customer_id, service_on, currency, outcome, reason, flags,
     enroute_total, terminal_total, subtotal, digest, calc_version)
SELECT id, flight_id, customer_id, service_on, currency, outcome, reason, string_to_array(flags, E'\n'),
    enroute_total, terminal_total, enroute_total + terminal_total, digest, $12::smallint
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::date[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::numeric[], $10::numeric[], $11::bytea[])
    AS r (id, flight_id, customer_id, service_on, currency, outcome, reason, flags,
          enroute_total, terminal_total, digest)
ON CONFLICT (flight_id, currency) WHERE superseded_by IS NULL DO NOTHING
RETURNING id;
