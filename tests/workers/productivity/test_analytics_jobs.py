"""The analytics jobs as the table of them says: when, what becomes of missed instants, what other systems call them."""

from __future__ import annotations

import pytest

from daemon import CatchUp, Cron, Overlap, Priority, catalogue
from daemon.admin.api.job_words import names_of, resolved
from daemon.catalogue import Catalogue
from daemon.settings import Settings

M, L = Priority.MEDIUM, Priority.LOW
TABLE = [
    ("daily_analytics", "0 1 * * *", M, CatchUp.LATEST, "dailyAnalytics"),
    ("weekly_aggregation", "0 2 * * 0", M, CatchUp.EACH(8), "weeklyAggregation"),
    ("monthly_insights", "0 3 1 * *", M, CatchUp.EACH(12), "monthlyInsights"),
    ("user_behavior", "0 */6 * * *", L, CatchUp.LATEST, "userBehavior"),
    ("performance_metrics", "0 * * * *", L, CatchUp.NONE, "performanceMetrics"),
    ("data_cleanup", "0 4 * * *", L, CatchUp.LATEST, "dataCleanup"),
]


@pytest.fixture(scope="module")
def jobs() -> Catalogue:
    return catalogue.load(Settings(suites=("workers.productivity",)))


def test_there_are_twelve_jobs_six_of_each_kind(jobs: Catalogue) -> None:
    kinds = [names_of(job).type for job in jobs.jobs.values()]
    assert sorted(kinds) == ["analytics"] * 6 + ["reminder"] * 6


@pytest.mark.parametrize(("name", "cron", "priority", "catch_up", "called"), TABLE)
def test_each_is_as_the_table_says(
    jobs: Catalogue, name: str, cron: str, priority: Priority, catch_up: CatchUp, called: str
) -> None:
    job = jobs.jobs[f"productivity.{name}"]
    assert isinstance(job.trigger, Cron)
    assert (job.trigger.expression, str(job.trigger.tz), job.priority, job.catch_up) == (
        cron,
        "UTC",
        priority,
        catch_up,
    )
    assert resolved(jobs, "analytics", called) is job
    assert (names_of(job).type, names_of(job).task) == ("analytics", called)


def test_roll_ups_wait_for_the_days_of_their_date_and_no_day_is_counted_twice_at_once(jobs: Catalogue) -> None:
    for name in ("weekly_aggregation", "monthly_insights"):
        assert jobs.jobs[f"productivity.{name}"].after == ("productivity.daily_analytics",)
    for name in ("daily_analytics", "weekly_aggregation", "monthly_insights"):
        assert jobs.jobs[f"productivity.{name}"].overlap is Overlap.QUEUE
