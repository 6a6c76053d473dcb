-- The people a suite writes to. {view} becomes `<suite>.sexton_recipient` when it is asked.

-- name: recipients
-- The casts refuse what would be misread: a wish to be left alone that is no text[] must not pass for none. 24:00
-- has no place in a clock: it is the last second of the day, so that 00:00 to 24:00 is all of it.
SELECT id, email::text, phone::text, timezone::text, locale::text,
    CASE quiet_start::time WHEN '24:00' THEN '00:00' ELSE quiet_start::time END AS quiet_start,
    CASE quiet_end::time WHEN '24:00' THEN '23:59:59' ELSE quiet_end::time END AS quiet_end,
    opted_out::text[], coalesce(deleted, false) AS deleted
FROM {view} WHERE id = ANY ($1::text[]);
