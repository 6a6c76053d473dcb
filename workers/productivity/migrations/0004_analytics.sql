-- What analytics need beside the figures themselves: when a session was written, which zone somebody lived in, on which
-- of their days they signed up; and the rules that more than one job applies.

-- When a session was last written. Rows from before are as old as their start says.
ALTER TABLE productivity.timer_session ADD COLUMN changed_at timestamptz;
ALTER TABLE productivity.timer_session ALTER COLUMN changed_at SET DEFAULT sexton.clock();
CREATE INDEX timer_session_changed ON productivity.timer_session (user_id, (coalesce(changed_at, started_at)));

CREATE FUNCTION productivity.note_changed_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_at := sexton.clock();
    RETURN NEW;
END $$;
CREATE TRIGGER changed_session BEFORE UPDATE ON productivity.timer_session
    FOR EACH ROW WHEN (NEW.* IS DISTINCT FROM OLD.*) EXECUTE FUNCTION productivity.note_changed_session();

-- Days are counted in the zone that somebody lived in then, whenever they are counted again.
CREATE TABLE productivity.zone_change (
    user_id bigint NOT NULL REFERENCES productivity.users ON DELETE CASCADE,
    at      timestamptz NOT NULL,
    zone    text COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, at)
);
COMMENT ON COLUMN productivity.zone_change.zone IS 'the one that was left then';
CREATE FUNCTION productivity.keep_zone_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO productivity.zone_change (user_id, at, zone) VALUES (NEW.id, NEW.tz_set_at, OLD.tz)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER zone_left AFTER UPDATE OF tz ON productivity.users
    FOR EACH ROW WHEN (NEW.tz IS DISTINCT FROM OLD.tz) EXECUTE FUNCTION productivity.keep_zone_left();

CREATE VIEW productivity.zone_lived_in AS
SELECT c.user_id, c.zone, lag(c.at, 1, '-infinity') OVER (PARTITION BY c.user_id ORDER BY c.at) AS since, c.at AS until
FROM productivity.zone_change c
UNION ALL
SELECT u.id, u.tz, max(c.at), 'infinity'
FROM productivity.users u JOIN productivity.zone_change c ON c.user_id = u.id
GROUP BY u.id;
COMMENT ON VIEW productivity.zone_lived_in IS 'of those who ever changed zone: where they lived from when to when';

-- $1: what the days of every zone are from and to. A day of who changed zone begins when their calendar first showed it,
-- wherever they were: no instant belongs to two days, and none to no day.
CREATE FUNCTION productivity.moved_days(days jsonb)
RETURNS TABLE (user_id bigint, day date, starts timestamptz, ends timestamptz) LANGUAGE sql STABLE AS $$
    SELECT * FROM (
        SELECT l.user_id, z.day,
            min(greatest(l.since, z.starts)) FILTER (WHERE greatest(l.since, z.starts) < l.until) AS starts,
            min(greatest(l.since, z.ends)) FILTER (WHERE greatest(l.since, z.ends) < l.until) AS ends
        FROM productivity.zone_lived_in l
        JOIN jsonb_to_recordset(days) AS z (zone text, day date, starts timestamptz, ends timestamptz) ON z.zone = l.zone
        GROUP BY l.user_id, z.day) d
    WHERE d.starts < d.ends
$$;

-- No foreign key: who is deleted stays in the cohort.
CREATE TABLE productivity.signup_day (
    user_id bigint PRIMARY KEY,
    day     date NOT NULL
);
CREATE INDEX signup_day_day ON productivity.signup_day (day, user_id);
CREATE VIEW productivity.unbounded_retention AS
SELECT s.day AS cohort_day, n, count(*) AS size, count(*) FILTER (WHERE a.last >= s.day + n) AS retained,
    CASE WHEN s.day + n <= d.complete THEN
        round(count(*) FILTER (WHERE a.last >= s.day + n) / count(*)::numeric, 4) END AS rate
FROM productivity.signup_day s
CROSS JOIN unnest('{1,7,14,30}'::int[]) n
CROSS JOIN (SELECT max(day) AS complete FROM productivity.metric_daily WHERE metric = 'is_complete' AND value = 1) d
LEFT JOIN (SELECT user_id, max(day) AS last FROM productivity.activity_day GROUP BY user_id) a USING (user_id)
GROUP BY s.day, n, d.complete;
COMMENT ON VIEW productivity.unbounded_retention IS
    'by cohort, who was active n calendar days after signing up or on any later day; no rate until day n is over';

-- The functions below are rules: values in, values out.
CREATE FUNCTION productivity.judged(value float8, history float8[])
RETURNS TABLE (baseline float8, score float8, direction text, is_unusual boolean) LANGUAGE sql IMMUTABLE AS $$
    SELECT m.baseline, s.score, CASE WHEN value >= m.baseline THEN 'high' ELSE 'low' END,
        CASE WHEN s.score IS NOT NULL THEN abs(s.score) > 3.5
             ELSE abs(value - m.baseline) > 0.2 * abs(m.baseline) AND abs(value - m.baseline) > 5 END
    FROM (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY v) AS baseline FROM unnest(history) v
          HAVING count(v) >= 8) m
    CROSS JOIN LATERAL (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(v - m.baseline)) AS mad, avg(abs(v - m.baseline)) AS mean_ad
        FROM unnest(history) v) d
    CROSS JOIN LATERAL (
        SELECT CASE WHEN d.mad > 0 THEN 0.6745 * (value - m.baseline) / d.mad
                    WHEN d.mean_ad > 0 THEN (value - m.baseline) / (1.253314 * d.mean_ad) END AS score) s
$$;
COMMENT ON FUNCTION productivity.judged IS
    'robust z-score (Iglewicz and Hoaglin 1993) against a history without the value; no row below eight figures';

CREATE FUNCTION productivity.theil_sen(series float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY (b.value - a.value) / (b.n - a.n))
    FROM unnest(series) WITH ORDINALITY AS a (value, n) JOIN unnest(series) WITH ORDINALITY AS b (value, n) ON b.n > a.n
$$;
COMMENT ON FUNCTION productivity.theil_sen IS 'the median slope of all pairs, by one step of the series; null below two';

CREATE FUNCTION productivity.seconds(during tstzmultirange) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)::float8 FROM unnest(during) r
$$;

-- Roll-ups are made of days that were rolled up: sums are added, people counted on the last day, ratios taken of sums.
CREATE FUNCTION productivity.rolled_up(first date, past date)
RETURNS TABLE (metric text, dims jsonb, value numeric) LANGUAGE sql STABLE AS $$
    WITH day AS (
        SELECT * FROM productivity.metric_daily m WHERE m.day >= first AND m.day < past AND m.value IS NOT NULL
    ), rolled AS (
        SELECT r.name AS metric, d.dims, CASE r.how
                WHEN 'sum' THEN sum(d.value)
                WHEN 'average' THEN round(avg(d.value), 4)
                WHEN 'median' THEN round(percentile_cont(0.5) WITHIN GROUP (ORDER BY d.value)::numeric, 4)
                WHEN 'last' THEN (array_agg(d.value ORDER BY d.day DESC))[1] END AS value
        FROM day d
        JOIN (VALUES ('is_complete', 'days', 'sum'), ('dau', 'dau_average', 'average'), ('wau', 'wau', 'last'),
                ('mau', 'mau', 'last'), ('new_users', 'new_users', 'sum'), ('sessions', 'sessions', 'sum'),
                ('focus_minutes', 'focus_minutes', 'sum'), ('session_minutes_median', 'session_minutes_median_of_days', 'median'),
                ('goals_due', 'goals_due', 'sum'), ('goals_done_on_time', 'goals_done_on_time', 'sum'),
                ('goals_overdue_share', 'goals_overdue_share', 'last'), ('feature_sessions', 'feature_sessions', 'sum'),
                ('sessions_without_end', 'sessions_without_end', 'sum'), ('sessions_too_long', 'sessions_too_long', 'sum'),
                ('sessions_backwards', 'sessions_backwards', 'sum')) AS r (metric, name, how) ON r.metric = d.metric
        GROUP BY r.name, r.how, d.dims
    ), of_all AS (
        SELECT jsonb_object_agg(r.metric, r.value) AS v FROM rolled r WHERE r.dims = '{}'
    )
    SELECT * FROM rolled
    UNION ALL
    SELECT n.metric, '{}', round((v ->> n.part)::numeric / nullif((v ->> n.whole)::numeric, 0), 4)
    FROM of_all, (VALUES ('goal_completion_rate', 'goals_done_on_time', 'goals_due'), ('stickiness', 'dau_average', 'mau'))
        AS n (metric, part, whole)
    WHERE v IS NOT NULL
    UNION ALL
    SELECT 'feature_share', r.dims, round(r.value / nullif(sum(r.value) OVER (), 0), 4)
    FROM rolled r WHERE r.metric = 'feature_sessions'
    UNION ALL
    SELECT 'focus_minutes_trend', '{}', round(productivity.theil_sen(array_agg(m.value::float8 ORDER BY m.day))::numeric, 4)
    FROM productivity.metric_daily m
    WHERE m.metric = 'focus_minutes' AND m.day >= past - 28 AND m.day < past AND EXISTS (SELECT FROM day)
    HAVING count(*) > 1
$$;
