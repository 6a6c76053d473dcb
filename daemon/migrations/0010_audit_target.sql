-- What was done to one run or job: its page asks for it each second while somebody looks, and audit rows stay for ever.

CREATE INDEX audit_target ON sexton.audit (target, id);
