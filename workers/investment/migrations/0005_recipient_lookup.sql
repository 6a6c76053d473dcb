-- Messages name people by text (sexton_recipient.id). Without this each page of 500 messages reads all users through.
CREATE INDEX app_user_id_as_text ON investment.app_user ((id::text));
