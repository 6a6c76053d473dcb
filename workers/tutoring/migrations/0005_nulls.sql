-- What applications pass: null for "nothing", which must not mean "nobody"; and reports that make no sense.

-- As before; a null in leave_out, or instead of it, leaves nobody out.
CREATE OR REPLACE FUNCTION tutoring.pick_provider(at timestamptz DEFAULT sexton.clock(), leave_out text[] DEFAULT '{}')
RETURNS TABLE (name text, kind text, base_url text, state text, usage numeric, reason text) LANGUAGE sql STABLE AS $$
    WITH ranked AS (
        SELECT p.name, p.kind, p.base_url, s.state, s.usage, p.chain_order,
            CASE
                WHEN i.id IS NOT NULL THEN 3
                WHEN s.state IN ('FAILOVER', 'BLOCKED') THEN 2
                ELSE 1
            END AS tier,
            s.state = 'BLOCKED' AND s.blocked_until > coalesce(pick_provider.at, sexton.clock()) AS blocked
        FROM tutoring.ai_provider p
        JOIN tutoring.provider_status s ON s.provider_id = p.id
        LEFT JOIN tutoring.provider_incident i
            ON i.provider_id = p.id AND i.ended_at IS NULL AND i.alerted_at IS NOT NULL
        WHERE p.enabled
    )
    SELECT r.name, r.kind, r.base_url, r.state, r.usage,
        CASE
            WHEN r.tier = 3 THEN 'last resort'
            WHEN r.tier = 2 THEN 'least used'
            WHEN EXISTS (SELECT FROM ranked e WHERE e.chain_order < r.chain_order) THEN 'fallback'
            ELSE 'preferred'
        END
    FROM ranked r
    WHERE NOT r.blocked AND r.name <> ALL (array_remove(coalesce(pick_provider.leave_out, '{}'), NULL))
    ORDER BY r.tier, CASE WHEN r.tier = 2 THEN coalesce(r.usage, 1) END, r.chain_order
    LIMIT 1
$$;

-- As before; raises invalid_parameter_value, with name and value, for what could not be kept or counted.
CREATE OR REPLACE FUNCTION tutoring.report_usage(
    provider text, status int, headers jsonb DEFAULT '{}', body jsonb DEFAULT NULL, input_tokens bigint DEFAULT NULL,
    output_tokens bigint DEFAULT NULL, latency_ms int DEFAULT NULL, student bigint DEFAULT NULL, error text DEFAULT NULL,
    request_id text DEFAULT NULL, at timestamptz DEFAULT sexton.clock()
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    chosen int;
    happened timestamptz := least(report_usage.at, sexton.clock());
    most_tokens CONSTANT bigint := 1000000000000;
    earliest CONSTANT timestamptz := '2000-01-01 00:00:00+00';
    wrong text;
    tokens bigint;
BEGIN
    SELECT id INTO chosen FROM tutoring.ai_provider WHERE name = report_usage.provider;
    IF chosen IS NULL THEN
        RAISE EXCEPTION 'there is no provider "%"', report_usage.provider
            USING ERRCODE = 'no_data_found', HINT = 'tutoring.ai_provider has their names.';
    END IF;
    wrong := CASE
        WHEN jsonb_typeof(report_usage.headers) <> 'object'
            THEN format('headers: must be an object of names and values, and is of type %s', jsonb_typeof(report_usage.headers))
        WHEN report_usage.status NOT BETWEEN 0 AND 999
            THEN format('status = %s: must be an HTTP status, or null for no answer', report_usage.status)
        WHEN greatest(report_usage.input_tokens, report_usage.output_tokens) > most_tokens
            THEN format('input_tokens = %s, output_tokens = %s: no call has more than %s',
                report_usage.input_tokens, report_usage.output_tokens, most_tokens)
        WHEN happened < earliest THEN format('at = %s: must be from %s on', report_usage.at, earliest)
    END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF report_usage.request_id IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(report_usage.request_id, 20261126));
        PERFORM FROM tutoring.api_usage u
            WHERE u.request_id = report_usage.request_id AND u.at > happened - interval '1 day' LIMIT 1;
        IF FOUND THEN
            RETURN false;
        END IF;
    END IF;
    INSERT INTO tutoring.api_usage
        (provider_id, student_id, at, input_tokens, output_tokens, latency_ms, status, error, request_id)
    VALUES (chosen, student, happened, report_usage.input_tokens, report_usage.output_tokens, report_usage.latency_ms,
        report_usage.status, left(report_usage.error, 1000), report_usage.request_id);
    INSERT INTO tutoring.provider_reading (provider_id, observed_at, http_status, headers, body)
    SELECT chosen, happened, report_usage.status, coalesce(jsonb_object_agg(lower(h.key), left(h.value, 200)), '{}'),
        CASE WHEN report_usage.status = 429 AND pg_column_size(report_usage.body) < 65536 THEN report_usage.body END
    FROM jsonb_each_text(report_usage.headers) h
    WHERE lower(h.key) = 'date' OR lower(h.key) ~ '^(x-ratelimit-|anthropic-ratelimit-|x-trial-endpoint-call-|retry-after)';
    tokens := greatest(report_usage.input_tokens, 0) + greatest(report_usage.output_tokens, 0);
    IF tokens > 0 THEN
        PERFORM tutoring.use_quota('provider', chosen, tokens, happened);
        IF student IS NOT NULL THEN
            PERFORM tutoring.use_quota('student', student, tokens, happened);
        END IF;
    END IF;
    RETURN true;
END $$;
