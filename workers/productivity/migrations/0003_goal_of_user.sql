-- A person's goals of any state, for their report of the month and for their deletion.
CREATE INDEX goal_user ON productivity.goal (user_id, due_on);
