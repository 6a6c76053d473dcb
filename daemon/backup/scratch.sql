-- Databases that exist for a proof or a restore alone. Their names cannot be parameters: the server quotes them.

-- name: create
-- $1: the name. As the database we are connected to: encoding, collation, and whose collation it is.
SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L', $1::text,
        pg_encoding_to_char(d.encoding), d.datcollate, d.datctype)
    || CASE to_jsonb(d) ->> 'datlocprovider'
        WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'))
        WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', to_jsonb(d) ->> 'datlocale')
        ELSE '' END
FROM pg_database d WHERE d.datname = current_database();

-- name: drop
SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', $1::text);

-- name: rename
SELECT format('ALTER DATABASE %I RENAME TO %I', $1::text, $2::text);

-- name: left_behind
-- $1: what the names of ours begin with.
SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY datname;

-- name: there
SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1::text);
