-- A check that asked no provider, for want of keys, cannot say that all is well.

ALTER TABLE tutoring.system_check DROP CONSTRAINT system_check_overall_check;
ALTER TABLE tutoring.system_check ADD CONSTRAINT overall_is_a_verdict
    CHECK (overall IN ('healthy', 'degraded', 'unhealthy', 'unconfigured'));
