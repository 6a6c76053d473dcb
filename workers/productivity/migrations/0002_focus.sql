-- How long somebody focused between two instants. Sessions that overlap count once: it is the union of their times. One
-- that began before is looked for as far back as the longest that counts. Inlined into the statements that ask.
CREATE FUNCTION productivity.focus(who bigint, starts timestamptz, ends timestamptz)
RETURNS TABLE (seconds bigint, sessions bigint) LANGUAGE sql STABLE AS $$
    SELECT (SELECT coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)::bigint FROM unnest(f.during) r), f.sessions
    FROM (SELECT range_agg(tstzrange(greatest(t.started_at, starts), least(t.until, ends))) AS during, count(*) AS sessions
          FROM productivity.timed_session t
          WHERE t.user_id = who AND t.kind = 'FOCUS' AND t.started_at < ends AND t.until > starts
              AND t.started_at > starts - interval '16 hours') f
$$;
