-- What releasing a held run allows it: what the person was asked about, and no more.
ALTER TABLE sexton.attempt ADD COLUMN grants jsonb;
COMMENT ON COLUMN sexton.attempt.grants IS 'of a try that ended as held: what its release allows the next, by name';
