-- The people a suite writes to. {view} becomes `<suite>.sexton_recipient` when it is asked.

-- name: recipients
SELECT id, email, phone, timezone, locale, quiet_start, quiet_end, opted_out, coalesce(deleted, false) AS deleted
FROM {view} WHERE id = ANY ($1::text[]);
