"""The jobs as the table of them says: names, times, what becomes of missed instants, how much is at stake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from daemon import CatchUp, Cron, OnDemand, Overlap, Priority, catalogue
from daemon.catalogue import Catalogue
from daemon.settings import Settings

C, H, M, L = Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM, Priority.LOW
NONE, LATEST, EACH = CatchUp.NONE, CatchUp.LATEST, CatchUp.EACH
TABLE = [
    ("daily_roi_distribution", "0 0 * * *", C, 600, EACH(31), 1, "daily-roi-distribution"),
    ("payout_reversal", None, C, 600, LATEST, 0, "payout-reversal"),
    ("system_health", "*/15 * * * *", H, 30, NONE, 0, "system-health"),
    ("data_cleanup", "0 2 * * *", L, 600, LATEST, 0, "data-cleanup"),
    ("notification_processing", "*/5 * * * *", H, 240, LATEST, 0, "notification-processing"),
    ("weekly_report", "0 6 * * 0", M, 300, EACH(8), 0, "weekly-report"),
    ("monthly_analytics", "0 3 1 * *", M, 900, EACH(12), 0, "monthly-analytics"),
    ("ledger_audit", "0 4 * * *", H, 3600, LATEST, 1, "ledger-audit"),
]
EIGHT_YEARS = timedelta(days=8 * 365)
OF_MONEY = {"daily_roi_distribution", "payout_reversal", "ledger_audit", "weekly_report", "monthly_analytics"}


@pytest.fixture(scope="module")
def jobs() -> Catalogue:
    return catalogue.load(Settings(suites=("workers.investment",)))


def test_there_are_these_jobs_and_no_others(jobs: Catalogue) -> None:
    assert sorted(jobs.jobs) == sorted(f"investment.{row[0]}" for row in TABLE)


@pytest.mark.parametrize(("name", "cron", "priority", "timeout", "catch_up", "offset", "alias"), TABLE)
def test_each_is_as_the_table_says(
    jobs: Catalogue, name: str, cron: str | None, priority: Priority, timeout: int, catch_up: CatchUp, offset: int,
    alias: str,
) -> None:  # fmt: skip
    job = jobs.resolve(alias)
    assert job.name == f"investment.{name}"
    assert job.trigger == (OnDemand() if cron is None else Cron(cron, tz="Asia/Kolkata"))
    assert (job.priority, job.timeout, job.catch_up) == (priority, timedelta(seconds=timeout), catch_up)
    assert job.business_day_offset == offset
    assert (job.retention >= EIGHT_YEARS) == (name in OF_MONEY)
    assert job.overlap is (Overlap.QUEUE if catch_up.is_each or name == "payout_reversal" else Overlap.SKIP)


def test_the_other_name_of_the_health_check_is_known(jobs: Catalogue) -> None:
    assert jobs.resolve("system-health-monitoring").name == "investment.system_health"


def test_what_moves_money_by_hand_wants_a_reason(jobs: Catalogue) -> None:
    assert {name for name, job in jobs.jobs.items() if job.sensitive} == {
        "investment.daily_roi_distribution", "investment.payout_reversal",
    }  # fmt: skip


def test_kolkata_has_no_night_of_23_or_25_hours() -> None:
    """So a day is paid at its midnight, and neither gaps nor overlaps of the clock concern the suite's times."""
    zone = ZoneInfo("Asia/Kolkata")
    offsets = {datetime(year, month, 1, tzinfo=UTC).astimezone(zone).utcoffset() for year in range(1950, 2051)
               for month in range(1, 13)}  # fmt: skip
    assert offsets == {timedelta(hours=5, minutes=30)}
