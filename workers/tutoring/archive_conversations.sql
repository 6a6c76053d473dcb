-- $1 everywhere: conversations whose last message is older.

-- name: stops
-- $2: after this id. $3: so many at once. The last id of each batch of what is left to move.
SELECT coalesce(array_agg(id ORDER BY id), '{}') AS stops
FROM (SELECT id, row_number() OVER (ORDER BY id) AS nth, lead(id) OVER (ORDER BY id) AS next
      FROM chat_conversation WHERE id > $2::bigint AND last_message_at < $1::timestamptz) c
WHERE nth % $3::int = 0 OR next IS NULL;

-- name: hold
-- $2, $3: ids above, up to and including. Whoever writes into one of them waits until it has been moved; what somebody
-- writes into now stays, and so does what the archive has already.
SELECT coalesce(array_agg(id), '{}') AS ids
FROM (SELECT id FROM chat_conversation c
      WHERE id > $2::bigint AND id <= $3::bigint AND last_message_at < $1::timestamptz
        AND NOT EXISTS (SELECT FROM chat_conversation_archive a WHERE a.id = c.id)
      ORDER BY id FOR UPDATE SKIP LOCKED) c;

-- name: move
-- $1: conversations that are held. $2: now. A statement of its own, so that it sees what was written until they were.
WITH messages AS (
    DELETE FROM chat_message WHERE conversation_id = ANY ($1::bigint[]) RETURNING *
), kept AS (
    INSERT INTO chat_message_archive (id, conversation_id, role, content, tokens, topic_id, correct, created_at)
    SELECT id, conversation_id, role, content, tokens, topic_id, correct, created_at FROM messages RETURNING 1
), conversations AS (
    DELETE FROM chat_conversation WHERE id = ANY ($1) RETURNING *
), moved AS (
    INSERT INTO chat_conversation_archive (id, student_id, subject_id, created_at, last_message_at, archived_at)
    SELECT id, student_id, subject_id, created_at, last_message_at, $2::timestamptz FROM conversations RETURNING 1
)
SELECT (SELECT count(*) FROM moved) AS conversations, (SELECT count(*) FROM kept) AS messages;

-- name: left_behind
SELECT count(*) FROM chat_conversation WHERE last_message_at < $1::timestamptz;
