-- Somebody's open goals as a mail lists them, the next due first, and how many there are beyond `most`.
CREATE FUNCTION productivity.open_goals(who bigint, most int)
RETURNS TABLE (goals jsonb, more bigint) LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', o.id, 'title', o.title, 'due', to_char(o.due_on, 'FMDD Mon YYYY'), 'progress', o.progress
        ) ORDER BY o.nth) FILTER (WHERE o.nth <= most), '[]'), greatest(count(*) - most, 0)
    FROM (SELECT g.id, g.title, g.due_on, g.progress, row_number() OVER (ORDER BY g.due_on, g.id) AS nth
          FROM productivity.goal g WHERE g.user_id = who AND g.status = 'OPEN') o
$$;
