-- What reports are about, a year of it: figures with weekly rhythm, growth and some noise, the same each time. For a
-- database of its own; days are those up to now.
SET session_replication_role = replica;

CREATE TEMP TABLE past AS
SELECT d::date AS day, extract(isodow FROM d)::int AS dow, (current_date - d::date) AS ago,
    (hashint4(d::date - date '2000-01-01') % 1000) / 1000.0 AS noise
FROM generate_series(current_date - 364, current_date - 1, interval '1 day') d;

-- productivity
INSERT INTO productivity.metric_daily (day, metric, value)
SELECT p.day, m.metric, m.value
FROM (SELECT *, round((900 - ago) * CASE WHEN dow >= 6 THEN 0.55 ELSE 1 END * (1 + noise * 0.07)
        * CASE ago WHEN 13 THEN 0.4 WHEN 41 THEN 1.6 WHEN 1 THEN 0.6 ELSE 1 END) AS dau FROM past) p
CROSS JOIN LATERAL (VALUES
    ('is_complete', (p.ago > 1)::int::numeric), ('dau', p.dau), ('wau', round((900 - p.ago) * 1.9)),
    ('mau', round((900 - p.ago) * 2.6)), ('stickiness', round(p.dau / ((900 - p.ago) * 2.6), 4)),
    ('new_users', round(20 + 8 * p.noise)), ('sessions', round(p.dau * 2.4)),
    ('focus_minutes', round(p.dau * 61.3 * (1 + p.noise * 0.1), 2)), ('session_minutes_median', 24.8),
    ('session_minutes_p90', round(52 + 5 * p.noise::numeric, 2)), ('goals_due', round(40 + 6 * p.noise)),
    ('goals_done_on_time', round((40 + 6 * p.noise) * (0.62 + p.noise * 0.12))),
    ('goal_completion_rate', round(0.62 + p.noise::numeric * 0.12, 4)),
    ('goals_overdue_share', round(0.18 + p.noise::numeric * 0.05, 4)), ('goal_lead_hours_median', 71.5)) AS m (metric, value);
INSERT INTO productivity.anomaly (metric, at, dims, value, baseline, score, direction)
SELECT m.metric, m.day::timestamp AT TIME ZONE 'UTC', '{}', m.value, p.baseline, (m.value - p.baseline) / p.spread,
    CASE WHEN m.value > p.baseline THEN 'high' ELSE 'low' END
FROM productivity.metric_daily m
CROSS JOIN LATERAL (SELECT CASE m.metric WHEN 'dau' THEN 870 ELSE 53000 END::numeric AS baseline,
    CASE m.metric WHEN 'dau' THEN 25 ELSE 1900 END::numeric AS spread) p
WHERE m.day IN (current_date - 13, current_date - 41) AND m.metric IN ('dau', 'focus_minutes');
INSERT INTO productivity.retention (cohort_day, n, size, retained, rate)
SELECT day, n, size, retained, CASE WHEN ago > n THEN round(retained / size::numeric, 4) END
FROM past CROSS JOIN unnest('{1,7,14,30}'::int[]) n
CROSS JOIN LATERAL (SELECT 18 + (noise * 8)::int AS size) s
CROSS JOIN LATERAL (SELECT (size * (0.62 - ln(n + 1) * 0.14 + noise * 0.06))::int AS retained) r
WHERE ago >= n;
INSERT INTO productivity.metric_weekly (week_start, metric, dims, value)
SELECT w, m.metric, m.dims::jsonb, m.value
FROM (SELECT DISTINCT day - dow % 7 AS w, (current_date - (day - dow % 7)) AS ago FROM past WHERE ago > 7) p
CROSS JOIN LATERAL (VALUES
    ('dau_average', '{}', round((900 - p.ago) * 0.87, 4)), ('wau', '{}', (900 - p.ago) * 1.9), ('mau', '{}', (900 - p.ago) * 2.6),
    ('stickiness', '{}', 0.3351), ('new_users', '{}', 141), ('sessions', '{}', round((900 - p.ago) * 14.7)),
    ('focus_minutes', '{}', round((900 - p.ago) * 373.2, 2)), ('focus_minutes_trend', '{}', 12.4375),
    ('goal_completion_rate', '{}', 0.6312),
    ('feature_sessions', '{"feature": "pomodoro"}', round((900 - p.ago) * 7.1)), ('feature_share', '{"feature": "pomodoro"}', 0.49),
    ('feature_sessions', '{"feature": "stopwatch"}', round((900 - p.ago) * 4.2)), ('feature_share', '{"feature": "stopwatch"}', 0.29),
    ('feature_sessions', '{"feature": "deep work"}', round((900 - p.ago) * 2.1 + (p.ago % 5) * 60)), ('feature_share', '{"feature": "deep work"}', 0.15),
    ('feature_sessions', '{"feature": "countdown"}', round((900 - p.ago) * 1.0)), ('feature_share', '{"feature": "countdown"}', 0.07)) AS m (metric, dims, value);
INSERT INTO productivity.metric_monthly (month, metric, dims, value)
SELECT p.month, m.metric, m.dims::jsonb, m.value
FROM (SELECT date_trunc('month', day::timestamp)::date AS month, min(ago) AS ago FROM past GROUP BY 1 HAVING min(ago) > 20) p
CROSS JOIN LATERAL (VALUES ('dau_average', '{}', round((900 - p.ago) * 0.87, 4)), ('mau', '{}', (900 - p.ago) * 2.6),
    ('stickiness', '{}', 0.3349), ('new_users', '{}', 604), ('sessions', '{}', (900 - p.ago) * 63),
    ('focus_minutes', '{}', (900 - p.ago) * 1600.5), ('focus_minutes_trend', '{}', 9.875),
    ('goal_completion_rate', '{}', 0.6277), ('retention', '{"n": 1}', 0.5231), ('retention', '{"n": 7}', 0.3344),
    ('retention', '{"n": 30}', 0.1426)) AS m (metric, dims, value);

-- investment
INSERT INTO investment.report (kind, period_key, payload, generated_at)
SELECT p.kind, p.key, jsonb_build_object('from', p.first, 'until', p.last, 'users', jsonb_build_object('new', 31 + p.n % 9),
    'currencies', (SELECT jsonb_object_agg(c.code, jsonb_build_object(
        'deposits', round(c.size * (1 + p.n % 5 * 0.12) * p.weight, c.places)::text,
        'withdrawals', round(c.size * (0.31 + p.n % 3 * 0.05) * p.weight, c.places)::text,
        'roi', round(c.size * 0.22 * p.weight, c.places)::text, 'commission', round(c.size * 0.04 * p.weight, c.places)::text,
        'revenue', round(c.size * (0.43 + p.n % 5 * 0.12 - p.n % 3 * 0.05) * p.weight, c.places)::text,
        'revenue_growth_pct', (3.5 - p.n % 4)::text, 'invested', round(c.size * 0.8 * p.weight, c.places)::text,
        'opened', 40 + p.n % 11, 'matured', 12, 'active_principal', round(c.size * 9.7, c.places)::text,
        'active_investors', 412 - p.n, 'withdrawals_pending', p.n % 4))
        FROM (VALUES ('INR', 1834250.75, 2), ('USD', 21450.10, 2), ('JPY', 940300, 0)) AS c (code, size, places)),
    'top_plans', (SELECT jsonb_object_agg(c, jsonb_build_array(
        jsonb_build_object('name', 'Gold 12', 'invested', (910000 + p.n * 1000)::text || '.50', 'share_pct', '48.21', 'investments', 21),
        jsonb_build_object('name', 'Silver 6', 'invested', '612000.00', 'share_pct', '32.40', 'investments', 17),
        jsonb_build_object('name', 'Starter', 'invested', '366000.25', 'share_pct', '19.39', 'investments', 33)))
        FROM unnest('{INR,USD}'::text[]) c)), sexton.clock()
FROM (
    SELECT 'weekly' AS kind, d::date::text AS key, (d::date - 7) AS first, (d::date - 1) AS last, n, 1.0 AS weight
    FROM generate_series(current_date - extract(dow FROM current_date)::int, current_date - 200, interval '-7 days') WITH ORDINALITY AS w (d, n)
    UNION ALL
    SELECT 'monthly', to_char(d, 'YYYY_MM'), d::date, (d + interval '1 month')::date - 1, n, 4.3
    FROM generate_series(date_trunc('month', current_date - interval '1 month'), current_date - interval '13 months', interval '-1 month') WITH ORDINALITY AS m (d, n)) p;
INSERT INTO investment.accrual_day (accrual_date, round, state, run_id)
SELECT day, 1, 'PAID', 1 FROM past WHERE ago <= 120 ON CONFLICT DO NOTHING;
INSERT INTO investment.accrual_total (accrual_date, round, run_id, currency, level, payments, amount)
SELECT day, 1, 1, c.code, l, 700 - l * 90, round(c.size * (1 - ago * 0.002) / (1 + l * 6), c.places)
FROM past, (VALUES ('INR', 57643.35, 2), ('USD', 674.10, 2)) AS c (code, size, places), generate_series(0, 2) l
WHERE ago <= 120;

-- tutoring
INSERT INTO tutoring.usage_daily (day, provider_id, requests, errors, input_tokens, output_tokens, p50_ms, p95_ms, cost)
SELECT day, p.id, r.n, (r.n * 0.012)::int, r.n * 812, r.n * 240, 420 + p.id * 70, 1400 + p.id * 210, round(r.n * 0.0021, 4)
FROM past JOIN tutoring.ai_provider p ON p.id <= 4
CROSS JOIN LATERAL (SELECT (5200.0 / p.chain_order * (1 - ago * 0.001) * CASE WHEN dow >= 6 THEN 0.5 ELSE 1 END * (1 + noise * 0.05)
    * CASE WHEN ago = 9 AND p.id = 1 THEN 0.3 WHEN ago = 9 AND p.id = 2 THEN 2.1 ELSE 1 END)::int AS n) r;
INSERT INTO tutoring.usage_report (day, payload, made_at)
SELECT day, jsonb_build_object('anomalies', CASE WHEN ago = 9 THEN jsonb_build_array(
    jsonb_build_object('provider', 'openai', 'metric', 'requests', 'value', 1546, 'baseline', 5120, 'score', -11.9, 'direction', 'low'),
    jsonb_build_object('provider', 'anthropic', 'metric', 'requests', 'value', 5410, 'baseline', 2570, 'score', 9.4, 'direction', 'high'))
    ELSE '[]' END), sexton.clock() FROM past;
UPDATE tutoring.provider_status s SET usage = 0.93, state = 'WARN' FROM tutoring.ai_provider p WHERE p.id = s.provider_id AND p.name = 'openai';
INSERT INTO tutoring.rate_limit_state (provider_id, dim, limit_n, remaining_n, reset_at, observed_at, source)
SELECT p.id, d.dim, d.most, (d.most * d.free)::bigint, sexton.clock() + interval '20 minutes', sexton.clock() - interval '1 minute', d.source
FROM tutoring.ai_provider p JOIN (VALUES ('openai', 'requests', 10000, 0.07, 'header'), ('openai', 'tokens', 2000000, 0.31, 'header'),
    ('anthropic', 'requests', 4000, 0.62, 'header'), ('anthropic', 'input_tokens', 400000, 0.48, 'header'),
    ('gemini', 'requests', 1500, 0.97, 'counter'), ('groq', 'month', 50000000, 0.74, 'counter')) AS d (name, dim, most, free, source) ON d.name = p.name;
INSERT INTO tutoring.provider_transition (provider_id, at, from_state, to_state, usage, reason)
SELECT p.id, sexton.clock() - n * interval '53 hours', CASE WHEN n % 2 = 0 THEN 'OK' ELSE 'FAILOVER' END,
    CASE WHEN n % 2 = 0 THEN 'FAILOVER' ELSE 'OK' END, CASE WHEN n % 2 = 0 THEN 0.9620 ELSE 0.4110 END,
    CASE WHEN n % 2 = 0 THEN 'requests at 96.2 %: anthropic is asked instead' ELSE 'requests were reset' END
FROM tutoring.ai_provider p, generate_series(1, 8) n WHERE p.name = 'openai';
UPDATE sexton.run SET result = jsonb_build_object('name', to_char(due_at, 'YYYYMMDD"T030007Z"'), 'bytes', 812345678 - (sexton.clock()::date - due_at::date) * 1234567,
    'tables', 171, 'rows', 9124456, 'verified_at', finished_at, 'pruned', jsonb_build_array('20260101T030007Z'))
WHERE job = 'tutoring.automated_backup' AND state = 'succeeded';

-- jewellery
INSERT INTO jewellery.daily_sales (day, currency, partial_total, partial_count, partial_cutoff, final_total, final_count, finalised_at)
SELECT day, c.code, round(s.total * 0.7, c.places), (s.n * 0.7)::int, day + time '12:30', CASE WHEN ago > 1 THEN round(s.total, c.places) END,
    CASE WHEN ago > 1 THEN s.n END, CASE WHEN ago > 1 THEN day + interval '36.5 hours' END
FROM past, (VALUES ('INR', 41250.00, 2, 21), ('KWD', 152.375, 3, 3)) AS c (code, size, places, orders)
CROSS JOIN LATERAL (SELECT c.size * (1 + noise * 0.3) * CASE WHEN dow >= 6 THEN 1.6 ELSE 1 END AS total, (c.orders * (1 + noise * 0.3))::int AS n) s;
INSERT INTO jewellery.product (id, sku, name, stock, low_stock_threshold)
SELECT 'p' || n, 'RNG-' || 100 + n, (ARRAY['Solitaire ring', 'Pearl studs', 'Jhumka earrings', 'Temple necklace', 'Tennis bracelet'])[1 + n % 5] || ' ' || n,
    CASE WHEN n <= 3 THEN 0 WHEN n <= 9 THEN n % 4 + 1 ELSE 40 + n END, CASE WHEN n % 2 = 0 THEN 6 END
FROM generate_series(1, 30) n;
INSERT INTO jewellery.stock_alert (product_id, state, alerted_at)
SELECT 'p' || n, CASE WHEN n <= 3 THEN 'OUT' ELSE 'LOW' END, sexton.clock() - interval '7 hours' FROM generate_series(1, 9) n;

-- flights
INSERT INTO flights.invoice_series (series, last_no) VALUES ('F', 600) ON CONFLICT DO NOTHING;
INSERT INTO flights.customer (id, code, name, contract_start) SELECT 900 + n, 'C' || n, 'Airline ' || n, '2018-01-01' FROM generate_series(1, 4) n;
INSERT INTO flights.invoice (id, series, number, customer_id, period_start, period_end, currency, subtotal, tax_rate, tax, total, status, issued_on, due_on, overdue_at, paid_at)
SELECT 90000 + row_number() OVER (), 'F', 'F/' || row_number() OVER (), 900 + n, w.period_end - 6, w.period_end, c.code, c.size * n, 0, 0, c.size * n,
    CASE WHEN w.k < 4 THEN 'PENDING' WHEN n = 4 AND w.k < 9 THEN 'OVERDUE' ELSE 'PAID' END, w.period_end + 1, w.period_end + 31,
    CASE WHEN n = 4 THEN sexton.clock() END, sexton.clock()
FROM (SELECT day AS period_end, ago / 7 AS k FROM past WHERE dow = 7) w, generate_series(1, 4) n,
    (VALUES ('EUR', 18432.55), ('CHF', 2210.05)) AS c (code, size);
INSERT INTO flights.flight_invoice (id, flight_id, customer_id, calc_version, currency, outcome, enroute_total, terminal_total, subtotal, service_on, digest)
SELECT 90000 + n, 90000 + n, 901, 1, 'EUR', 'CHARGED', 812.40 + n, 140.10, 952.50 + n, current_date - n % 40, '\x00' FROM generate_series(1, 60) n;
INSERT INTO flights.invoice_line (invoice_id, seq, flight_invoice_id, flight_id, callsign, service_on, enroute_total, terminal_total, amount, late)
SELECT i.id, n, 90000 + n, 90000 + n, 'SWR' || n, i.period_end - n % 6, round(i.subtotal * 0.027, 2), round(i.subtotal * 0.006, 2),
    round(i.subtotal * 0.027, 2) + round(i.subtotal * 0.006, 2), n = 1
FROM flights.invoice i, generate_series(1, 30) n WHERE i.id >= 90000;

RESET session_replication_role;
DROP TABLE past;
