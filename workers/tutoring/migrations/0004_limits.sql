-- What deciding about providers needs beside their states, and how an application reports a call in one statement.

ALTER TABLE tutoring.provider_status ADD COLUMN held_until timestamptz;
COMMENT ON COLUMN tutoring.provider_status.held_until IS
    'while FAILOVER or BLOCKED: the latest reset of what made it so; before that it is not asked again';

-- Some providers allow so many requests a month.
ALTER TABLE tutoring.provider_limit DROP CONSTRAINT provider_limit_check;
ALTER TABLE tutoring.provider_limit ADD CONSTRAINT months_are_months CHECK (dim <> 'month' OR per = 'month');

-- Who stands in for whom, now.
CREATE VIEW tutoring.active_failover AS
SELECT p.name AS provider, f.name AS fallback, s.state, s.since, s.held_until
FROM tutoring.provider_status s
JOIN tutoring.ai_provider p ON p.id = s.provider_id
LEFT JOIN tutoring.ai_provider f ON f.id = s.fallback_id
WHERE s.state IN ('FAILOVER', 'BLOCKED');

-- One call of a provider: what it used goes to api_usage and the student's month, what its answer said of limits to the
-- queue of readings, which wakes the daemon. Headers that are none of the limiter's business are not kept. False: a call
-- of this request_id was reported within a day, and counts once. Raises no_data_found for a provider that is not there.
CREATE FUNCTION tutoring.report_usage(
    provider text, status int, headers jsonb DEFAULT '{}', body jsonb DEFAULT NULL, input_tokens bigint DEFAULT NULL,
    output_tokens bigint DEFAULT NULL, latency_ms int DEFAULT NULL, student bigint DEFAULT NULL, error text DEFAULT NULL,
    request_id text DEFAULT NULL, at timestamptz DEFAULT sexton.clock()
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    chosen int;
    happened timestamptz := least(report_usage.at, sexton.clock());
    tokens bigint := greatest(report_usage.input_tokens, 0) + greatest(report_usage.output_tokens, 0);
BEGIN
    SELECT id INTO chosen FROM tutoring.ai_provider WHERE name = report_usage.provider;
    IF chosen IS NULL THEN
        RAISE EXCEPTION 'there is no provider "%"', report_usage.provider
            USING ERRCODE = 'no_data_found', HINT = 'tutoring.ai_provider has their names.';
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
    IF tokens > 0 THEN
        PERFORM tutoring.use_quota('provider', chosen, tokens, happened);
        IF student IS NOT NULL THEN
            PERFORM tutoring.use_quota('student', student, tokens, happened);
        END IF;
    END IF;
    RETURN true;
END $$;
