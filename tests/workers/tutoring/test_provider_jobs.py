"""The jobs about providers and health as the table of all jobs says."""

from __future__ import annotations

from datetime import timedelta

from daemon import CatchUp, Cron, Every, Overlap, Priority, catalogue
from daemon.job import Poll
from daemon.settings import Settings


def test_health_limits_and_readings() -> None:
    jobs = catalogue.load(Settings(suites=("workers.tutoring",)))
    health, monitor = jobs.resolve("health-check"), jobs.resolve("rate-limit-monitor")
    assert (health.name, health.trigger) == ("tutoring.health_check", Cron("*/5 * * * *", tz="UTC"))
    assert (health.priority, health.timeout, health.expected) == (
        Priority.CRITICAL, timedelta(seconds=45), timedelta(seconds=30),
    )  # fmt: skip
    assert isinstance(monitor.trigger, Every)
    assert (monitor.trigger.seconds, monitor.priority, monitor.timeout) == (60, Priority.HIGH, timedelta(seconds=5))
    for job in (health, monitor):
        assert (job.catch_up, job.overlap, job.retries) == (CatchUp.NONE, Overlap.SKIP, None)
    readings = jobs.jobs["tutoring.provider_readings"].trigger
    assert readings == Poll(timedelta(seconds=60), "tutoring.provider_reading")
