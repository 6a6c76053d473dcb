-- What a worker needs beside the track. Read by worker processes, on their own read-only connection.

-- name: flight
-- Everything rating asks about one flight, and the versions of what is kept in memory. The aircraft counts only
-- while it is valid; an aerodrome that is not in the table comes without coordinates.
SELECT f.id, f.customer_id, f.callsign, f.icao24, f.off_block_at, f.arrived_at, f.service_on, f.flight_rules,
    f.special_handling, c.currency AS home_currency, a.reg, a.mtow_t,
    f.dep_icao, d.latitude AS dep_latitude, d.longitude AS dep_longitude,
    f.arr_icao, r.latitude AS arr_latitude, r.longitude AS arr_longitude,
    (SELECT version FROM flights.reference_version WHERE name = 'zones') AS zones_version,
    (SELECT version FROM flights.reference_version WHERE name = 'rates') AS rates_version
FROM flights.flight f
JOIN flights.customer c ON c.id = f.customer_id
LEFT JOIN flights.aircraft a ON a.reg = f.reg
    AND (a.valid_from IS NULL OR f.service_on >= a.valid_from)
    AND (a.valid_to IS NULL OR f.service_on <= a.valid_to)
LEFT JOIN flights.aerodrome d ON d.icao = f.dep_icao
LEFT JOIN flights.aerodrome r ON r.icao = f.arr_icao
WHERE f.id = $1;

-- name: firs
SELECT f.ident, z.id AS zone_id, z.code AS zone_code, f.geometry::text AS geometry
FROM flights.fir f JOIN flights.charging_zone z ON z.id = f.zone_id
ORDER BY f.ident;

-- name: unit_rates
SELECT z.code AS zone, r.kind, r.rate, r.currency, lower(r.valid) AS valid_from, upper(r.valid) AS valid_until,
    r.exponent, r.charged_on
FROM flights.unit_rate r JOIN flights.charging_zone z ON z.id = r.zone_id;
