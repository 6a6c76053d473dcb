-- Nothing is set to zero: a period is closed and the next one opened, so that what was used when stays known. What
-- is counted late is added to the period of its instant, closed or not: see use_quota().
-- Rows are taken in the order of their keys, providers before students, as report_usage() takes them: two that wait for
-- each other would be a deadlock, and an application's call might be the one that is given up.
-- $1 everywhere: the first day of the month that begins. Kinds and ids from ($2, $3), not included, to ($4, $5).

-- name: stops
-- $4: so many at once. The last of each page of those who had a period before, or have a limit now.
SELECT coalesce(jsonb_agg(jsonb_build_array(kind, id) ORDER BY kind, id), '[]') AS stops
FROM (SELECT kind, id, row_number() OVER w AS nth, lead(id) OVER w AS next
      FROM (SELECT subject_kind AS kind, subject_id AS id FROM quota_period WHERE period_start < $1::date
            UNION SELECT 'student', id FROM profile WHERE monthly_tokens IS NOT NULL
            UNION SELECT 'provider', provider_id FROM provider_limit WHERE dim = 'month') s
      WHERE (kind, id) > ($2::text, $3::bigint)
      WINDOW w AS (ORDER BY kind, id)) p
WHERE nth % $4::int = 0 OR next IS NULL;

-- name: close_periods
-- $6: when.
WITH over AS MATERIALIZED (
    SELECT subject_kind, subject_id, period_start FROM quota_period
    WHERE period_start < $1::date AND closed_at IS NULL
        AND (subject_kind, subject_id) > ($2::text, $3::bigint) AND (subject_kind, subject_id) <= ($4::text, $5::bigint)
    ORDER BY subject_kind, subject_id, period_start FOR UPDATE
)
UPDATE quota_period q SET closed_at = $6::timestamptz
FROM over o
WHERE q.subject_kind = o.subject_kind AND q.subject_id = o.subject_id AND q.period_start = o.period_start;

-- name: open_periods
-- With the limit that holds now. Not for students who are gone, nor for providers that are not asked any more.
INSERT INTO quota_period (subject_kind, subject_id, period_start, used, limit_n)
SELECT 'student', p.id, $1::date, 0, p.monthly_tokens
FROM profile p
WHERE ('student', p.id) > ($2::text, $3::bigint) AND ('student', p.id) <= ($4::text, $5::bigint)
    AND p.status <> 'DELETED'
    AND (p.monthly_tokens IS NOT NULL OR EXISTS (
        SELECT FROM quota_period q
        WHERE q.subject_kind = 'student' AND q.subject_id = p.id AND q.period_start < $1))
UNION ALL
SELECT 'provider', a.id, $1, 0, l.limit_n
FROM ai_provider a
LEFT JOIN provider_limit l ON l.provider_id = a.id AND l.dim = 'month'
WHERE ('provider', a.id) > ($2, $3) AND ('provider', a.id) <= ($4, $5) AND a.enabled
    AND (l.limit_n IS NOT NULL OR EXISTS (
        SELECT FROM quota_period q
        WHERE q.subject_kind = 'provider' AND q.subject_id = a.id AND q.period_start < $1))
ORDER BY 1, 2
ON CONFLICT DO NOTHING;
