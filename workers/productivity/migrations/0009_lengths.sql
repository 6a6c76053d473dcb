-- Applications write what they like, and indexes have no room for every length: what one row says must not fail the day
-- or the reminders of everybody.

-- What a session was done with, as figures know it; a blank names nothing.
CREATE FUNCTION productivity.named_feature(feature text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT nullif(left(btrim(feature, E' \t\n\r'), 100), '')
$$;

-- The longest name of a zone has 32 characters. One that does not exist is served by the default zone.
ALTER TABLE productivity.users ADD CONSTRAINT users_tz_length CHECK (length(tz) <= 100) NOT VALID;
