-- name: not_configured
-- $1: names of providers that may be asked. All others.
SELECT coalesce(array_agg(name), '{}') FROM ai_provider WHERE name <> ALL ($1::text[]);

-- name: pick
-- $1: now. $2: whom not to ask.
SELECT name, kind, base_url FROM pick_provider($1::timestamptz, $2::text[]);

-- name: next_summaries
-- $1: the week. $2: after this student. $3: so many at most.
SELECT s.student_id, s.payload
FROM weekly_summary s JOIN profile p ON p.id = s.student_id
WHERE s.week_start = $1::date AND s.student_id > $2::bigint AND s.written_by IS NULL AND p.status <> 'DELETED'
ORDER BY s.student_id LIMIT $3;

-- name: add_sentences
-- $1: the week. $2, $3, $4: students, what was said of their weeks, and by whom.
UPDATE weekly_summary s SET text = s.text || ' ' || n.sentence, written_by = n.provider
FROM unnest($2::bigint[], $3::text[], $4::text[]) AS n (student_id, sentence, provider)
WHERE s.week_start = $1::date AND s.student_id = n.student_id AND s.written_by IS NULL;

-- name: report_calls
-- $1, $2, $3: providers, statuses and headers. $4, $5: tokens. $6: latencies in ms. $7: errors. $8: now. As any
-- application reports its calls, so that limits and costs know of ours. In no student's month: none of them asked.
SELECT count(report_usage(
    c.provider, c.status, c.headers::jsonb, NULL, c.input_tokens, c.output_tokens, c.latency_ms, NULL, c.error, NULL,
    $8::timestamptz))
FROM unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::int[], $7::text[])
    AS c (provider, status, headers, input_tokens, output_tokens, latency_ms, error);
