-- People, sessions and goals for benches of the productivity suite. $2, where there is one: now.

-- name: set_indexes_aside
-- For the session: what is loaded is right, so that nothing is checked row by row, and indexes are made when it is there.
DO $$
DECLARE
    aside record;
BEGIN
    PERFORM set_config('session_replication_role', 'replica', false), set_config('maintenance_work_mem', '512MB', false);
    CREATE TEMP TABLE aside AS
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i WHERE i.indrelid = 'productivity.timer_session'::regclass AND NOT i.indisprimary;
    FOR aside IN SELECT * FROM pg_temp.aside LOOP
        EXECUTE 'DROP INDEX ' || aside.name;
    END LOOP;
END $$;

-- name: make_indexes
DO $$
DECLARE
    aside record;
BEGIN
    FOR aside IN SELECT * FROM pg_temp.aside LOOP
        EXECUTE aside.definition;
    END LOOP;
END $$;

-- name: load_people
-- $1: people, in 14 zones. $2: now.
INSERT INTO productivity.users (id, email, tz, created_at, tz_set_at)
SELECT n, 'u' || n || '@example.org', (ARRAY['UTC', 'Europe/Zurich', 'Europe/London', 'America/New_York',
        'America/Los_Angeles', 'America/Sao_Paulo', 'America/St_Johns', 'Asia/Kolkata', 'Asia/Kathmandu', 'Asia/Tokyo',
        'Australia/Lord_Howe', 'Australia/Sydney', 'Africa/Cairo', 'Pacific/Auckland'])[1 + n % 14],
    c.at, c.at
FROM generate_series(1, $1::bigint) n, LATERAL (
    SELECT $2::timestamptz - (1 + (hashint8(n) & 511)) * interval '1 day' - (hashint8(n * 31) & 65535) * interval '1 second'
        AS at) c;

-- name: load_sessions
-- $1: sessions over the last 180 days, of up to an hour and a half, so that some overlap and some pass midnight. $2: now.
-- $3: people.
INSERT INTO productivity.timer_session (user_id, started_at, ended_at, kind, feature)
SELECT 1 + n % $3::bigint, s.at, s.at + ((hashint8(n * 7) & 4095) + 60) * interval '1 second',
    CASE WHEN n % 5 = 0 THEN 'BREAK' ELSE 'FOCUS' END, (ARRAY['pomodoro', 'stopwatch', NULL])[1 + n % 3]
FROM generate_series(1, $1::bigint) n, LATERAL (
    SELECT $2::timestamptz - (hashint8(n) & 2147483647)::bigint % (180 * 86400) * interval '1 second' AS at) s;

-- name: load_goals
-- One for every other person, due in the last month or the next.
INSERT INTO productivity.goal (user_id, title, due_on, status, created_at, completed_at)
SELECT n, 'goal', ($2::timestamptz)::date - 30 + (n % 60)::int, CASE WHEN n % 4 = 0 THEN 'DONE' ELSE 'OPEN' END,
    $2::timestamptz - interval '40 days', CASE WHEN n % 4 = 0 THEN $2::timestamptz - (n % 30) * interval '1 day' END
FROM generate_series(1, $1::bigint, 2) n;

-- name: settings
SELECT set_config('search_path', 'productivity', false), set_config('timezone', 'UTC', false),
    set_config('work_mem', '256MB', false);
