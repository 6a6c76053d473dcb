-- name: set_up
-- For one transaction: sorts and hashes stay in memory, and plans are made for what is asked. The plan that PostgreSQL
-- keeps after a statement's fifth use takes a list of thousands for one of ten.
SELECT set_config('work_mem', '256MB', true), set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: set_up_for_few
-- For whoever moved to a zone within hours: they are looked up by index. The planner cannot know how few they are, and
-- would read everybody through.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);
