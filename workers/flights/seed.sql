-- Sample data. Every statement leaves alone what is there already.

-- name: add_zones
INSERT INTO flights.charging_zone (code, name)
SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT (code) DO NOTHING;

-- name: add_firs
INSERT INTO flights.fir (ident, name, zone_id, geometry, source)
SELECT f.ident, f.name, z.id, f.geometry::jsonb, $5::text
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS f (ident, name, zone, geometry)
JOIN flights.charging_zone z ON z.code = f.zone
ON CONFLICT (ident) DO NOTHING;

-- name: add_rates
INSERT INTO flights.unit_rate (zone_id, kind, rate, currency, valid, exponent, charged_on, source)
SELECT z.id, r.kind, r.rate, r.currency, daterange($8::date, $9::date), r.exponent, r.charged_on, r.source
FROM unnest($1::text[], $2::text[], $3::numeric[], $4::text[], $5::numeric[], $6::text[], $7::text[])
    AS r (zone, kind, rate, currency, exponent, charged_on, source)
JOIN flights.charging_zone z ON z.code = r.zone
ON CONFLICT DO NOTHING;

-- name: add_aerodromes
INSERT INTO flights.aerodrome (icao, name, latitude, longitude)
SELECT * FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[])
ON CONFLICT (icao) DO NOTHING;

-- name: add_customers
INSERT INTO flights.customer (code, name, tz, currency, tax_rate, min_invoice_amount, contract_start)
SELECT c.*, $7::date
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::numeric[]) AS c
ON CONFLICT (code) DO NOTHING;

-- name: add_cycles
INSERT INTO flights.billing_cycle (customer_id, valid_from, frequency, week_end_isodow)
SELECT c.id, c.contract_start, CASE WHEN o.week_end IS NULL THEN 'MONTHLY' ELSE 'WEEKLY' END, o.week_end
FROM unnest($1::text[], $2::smallint[]) AS o (code, week_end)
JOIN flights.customer c ON c.code = o.code
WHERE NOT EXISTS (SELECT FROM flights.billing_cycle b WHERE b.customer_id = c.id);

-- name: add_aircraft
INSERT INTO flights.aircraft (reg, icao24, customer_id, type, mtow_t)
SELECT upper(a.icao24), a.icao24, c.id, a.type, a.mtow_t
FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[]) AS a (icao24, customer, type, mtow_t)
JOIN flights.customer c ON c.code = a.customer
ON CONFLICT (reg) DO NOTHING;

-- name: add_flights
INSERT INTO flights.flight (customer_id, reg, icao24, callsign, dep_icao, arr_icao, off_block_at, arrived_at,
    service_on, external_ref)
SELECT c.id, upper(f.icao24), f.icao24, f.callsign, f.dep_icao, f.arr_icao, f.off_block_at, f.arrived_at,
    (f.off_block_at AT TIME ZONE 'UTC')::date, f.ref
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
            $8::timestamptz[]) WITH ORDINALITY
    AS f (ref, customer, icao24, callsign, dep_icao, arr_icao, off_block_at, arrived_at, nth)
JOIN flights.customer c ON c.code = f.customer
ORDER BY f.nth
ON CONFLICT (external_ref) DO NOTHING
RETURNING id, external_ref;

-- name: enqueue
INSERT INTO flights.flight_processing_queue (flight_id)
SELECT unnest($1::bigint[])
ON CONFLICT (flight_id) DO NOTHING;
