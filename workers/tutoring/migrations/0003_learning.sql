-- What the jobs about learning and usage keep beside the platform's own tables.

-- What a run of several transactions has done so far; emptied when it reports.
CREATE TABLE tutoring.run_tally (
    run_id bigint NOT NULL,
    step   text NOT NULL,
    rows   bigint NOT NULL,
    PRIMARY KEY (run_id, step)
);

-- What a memory takes as stored, so that what is freed can be told before and after in the same terms.
CREATE FUNCTION tutoring.memory_bytes(m tutoring.study_chat_memory) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (24 + pg_column_size(m.id) + pg_column_size(m.student_id) + coalesce(pg_column_size(m.content), 0)
        + pg_column_size(m.created_at) + coalesce(pg_column_size(m.expires_at), 0))::bigint
$$;
COMMENT ON FUNCTION tutoring.memory_bytes IS 'a row''s header and values, compressed as they are; not what indexes take';

CREATE TABLE tutoring.ai_price (
    provider_id  int NOT NULL REFERENCES tutoring.ai_provider ON DELETE CASCADE,
    since        date NOT NULL,
    input_price  numeric(12,4) NOT NULL CHECK (input_price >= 0),
    output_price numeric(12,4) NOT NULL CHECK (output_price >= 0),
    PRIMARY KEY (provider_id, since)
);
COMMENT ON TABLE tutoring.ai_price IS 'of a million tokens, in the one currency the platform pays in; the newest that has begun counts';

-- A day's usage summed up: what reports are made of, and what later days are compared with.
CREATE TABLE tutoring.usage_day (
    day              date PRIMARY KEY,
    rows             bigint NOT NULL,
    duplicates       bigint NOT NULL,
    without_provider bigint NOT NULL,
    without_tokens   bigint NOT NULL,
    without_latency  bigint NOT NULL,
    summed_up_at     timestamptz NOT NULL
);
CREATE TABLE tutoring.usage_daily (
    day           date NOT NULL,
    provider_id   int NOT NULL REFERENCES tutoring.ai_provider ON DELETE CASCADE,
    requests      bigint NOT NULL,
    errors        bigint NOT NULL,
    input_tokens  bigint NOT NULL,
    output_tokens bigint NOT NULL,
    p50_ms        int,
    p95_ms        int,
    cost          numeric(14,4),
    PRIMARY KEY (day, provider_id)
);
CREATE INDEX usage_daily_provider ON tutoring.usage_daily (provider_id, day);
COMMENT ON COLUMN tutoring.usage_daily.cost IS 'null: tokens without a price, which is not nothing';

ALTER TABLE tutoring.student_ai_profile ADD COLUMN looked_at timestamptz;
COMMENT ON COLUMN tutoring.student_ai_profile.looked_at IS 'up to when activity was looked at; refreshed_at is when something had changed';

ALTER TABLE tutoring.weekly_summary ADD COLUMN written_by text;
COMMENT ON COLUMN tutoring.weekly_summary.written_by IS 'the AI provider whose sentence the text is; null: the template''s';

-- Takes a conversation out of the archive, for who wants to go on with it. False where it is not there.
CREATE FUNCTION tutoring.reopen_conversation(conversation bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM tutoring.chat_conversation_archive WHERE id = conversation FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO tutoring.chat_conversation (id, student_id, subject_id, created_at, last_message_at)
    SELECT id, student_id, subject_id, created_at, last_message_at
    FROM tutoring.chat_conversation_archive WHERE id = conversation;
    INSERT INTO tutoring.chat_message (id, conversation_id, role, content, tokens, topic_id, correct, created_at)
    SELECT id, conversation_id, role, content, tokens, topic_id, correct, created_at
    FROM tutoring.chat_message_archive WHERE conversation_id = conversation;
    DELETE FROM tutoring.chat_message_archive WHERE conversation_id = conversation;
    DELETE FROM tutoring.chat_conversation_archive WHERE id = conversation;
    RETURN true;
END $$;

-- What a student or a provider may use in a month now; null: no limit.
CREATE FUNCTION tutoring.quota_limit(kind text, subject bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE kind
        WHEN 'student' THEN (SELECT monthly_tokens FROM tutoring.profile WHERE id = subject)
        WHEN 'provider' THEN (SELECT limit_n FROM tutoring.provider_limit WHERE provider_id = subject AND dim = 'month')
    END
$$;

-- Adds tokens to the month, of UTC, that an instant is in, closed or not, whenever it is told; opens the month if need
-- be. Returns what is left of it: null without a limit, negative beyond it.
CREATE FUNCTION tutoring.use_quota(kind text, subject bigint, amount bigint, at timestamptz DEFAULT sexton.clock())
RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO tutoring.quota_period AS q (subject_kind, subject_id, period_start, used, limit_n)
    VALUES (kind, subject, date_trunc('month', at AT TIME ZONE 'UTC')::date, amount, tutoring.quota_limit(kind, subject))
    ON CONFLICT (subject_kind, subject_id, period_start) DO UPDATE SET used = q.used + excluded.used
    RETURNING q.limit_n - q.used
$$;
