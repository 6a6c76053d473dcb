-- Somebody's focus is read once for all days of a mail, instead of once for each: a month of a million people took ten
-- minutes. Both functions are inlined into the statements that ask.

-- When somebody focused from `since` to `ends`, overlaps once, and how many sessions reach into the time from `starts`.
-- One that began before is looked for as far back as the longest that counts.
CREATE FUNCTION productivity.focused(who bigint, since timestamptz, starts timestamptz, ends timestamptz)
RETURNS TABLE (during tstzmultirange, sessions bigint) LANGUAGE sql STABLE AS $$
    SELECT range_agg(tstzrange(t.started_at, least(t.until, ends))) * tstzmultirange(tstzrange(since, ends)),
        count(*) FILTER (WHERE t.until > starts)
    FROM productivity.timed_session t
    WHERE t.user_id = who AND t.kind = 'FOCUS' AND t.started_at < ends AND t.until > since
        AND t.started_at > since - interval '16 hours'
$$;

-- `blank`: days as mails draw them, without focus. `starts`: the first instant of each, and last the one that the last of
-- them ends with. The days with what there was on each, seconds of them all, days with any, and the one with most.
CREATE FUNCTION productivity.focus_by_day(during tstzmultirange, blank jsonb[], starts timestamptz[])
RETURNS TABLE (days jsonb, seconds bigint, active bigint, best jsonb) LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(d.day ORDER BY d.n), sum(d.seconds)::bigint, count(*) FILTER (WHERE d.seconds > 0),
        coalesce((array_agg(d.day ORDER BY d.seconds DESC, d.n) FILTER (WHERE d.seconds > 0))[1], blank[1])
    FROM (SELECT w.n, s.seconds, CASE WHEN s.seconds < 60 THEN w.day
              ELSE w.day || jsonb_build_object('minutes', s.seconds / 60) END AS day
          FROM unnest(blank, starts[:cardinality(blank)], starts[2:]) WITH ORDINALITY AS w (day, starts, ends, n)
          CROSS JOIN LATERAL (SELECT CASE WHEN during && tstzrange(w.starts, w.ends) THEN (
                  SELECT sum(extract(epoch FROM upper(r) - lower(r)))
                  FROM unnest(during * tstzmultirange(tstzrange(w.starts, w.ends))) r)::bigint ELSE 0 END AS seconds OFFSET 0) s
          OFFSET 0) d -- else they are worked out as often as they are mentioned
$$;
CREATE FUNCTION productivity.blank_days(first date, number int, style text)
RETURNS jsonb[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(SELECT jsonb_build_object('day', first + n, 'label', to_char(first + n, style), 'minutes', 0)
                 FROM generate_series(0, number - 1) n ORDER BY n)
$$;

DROP FUNCTION productivity.focus;
