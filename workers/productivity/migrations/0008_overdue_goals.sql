-- As before, with whether each is overdue on `today`. The one without it stays for the release before.
CREATE FUNCTION productivity.open_goals(who bigint, most int, today date)
RETURNS TABLE (goals jsonb, more bigint) LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', o.id, 'title', o.title, 'due', to_char(o.due_on, 'FMDD Mon YYYY'), 'progress', o.progress,
            'overdue', coalesce(o.due_on < today, false)
        ) ORDER BY o.nth) FILTER (WHERE o.nth <= most), '[]'), greatest(count(*) - most, 0)
    FROM (SELECT g.id, g.title, g.due_on, g.progress, row_number() OVER (ORDER BY g.due_on, g.id) AS nth
          FROM productivity.goal g WHERE g.user_id = who AND g.status = 'OPEN') o
$$;
