"""The jobs as the table of them says: names, times, what becomes of missed instants, who waits for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon import CatchUp, Cron, OnDemand, Priority, catalogue, schedule
from daemon.catalogue import Catalogue
from daemon.job import Poll
from daemon.settings import Settings

H, M, L = Priority.HIGH, Priority.MEDIUM, Priority.LOW
LATEST, EACH = CatchUp.LATEST, CatchUp.EACH
TABLE = [
    ("cleanup_expired_locks", "*/5 * * * *", H, LATEST, "cleanup-expired-locks"),
    ("stock_level_check", "0 * * * *", M, LATEST, "stock-level-check"),
    ("webhook_timeout_handler", "*/10 * * * *", H, LATEST, "webhook-timeout-handler"),
    ("password_reset_cleanup", "0 * * * *", M, LATEST, "password-reset-cleanup"),
    ("notification_cleanup", "0 2 * * *", L, LATEST, "notification-cleanup"),
    ("daily_sales_summary", "0 18 * * *", L, EACH(31), "daily-sales-summary"),
    ("unverified_user_cleanup", "0 0 1 * *", L, LATEST, "unverified-user-cleanup"),
]
WORKED_AT_ONCE = {
    "payment_captured": ("payment-captured", "jewellery.webhook_queue"),
    "order_status_changed": ("order-status-changed", "jewellery.order_status_queue"),
}


@pytest.fixture(scope="module")
def jobs() -> Catalogue:
    return catalogue.load(Settings(suites=("workers.jewellery",)))


def test_there_are_these_jobs_and_no_others(jobs: Catalogue) -> None:
    names = {row[0] for row in TABLE} | set(WORKED_AT_ONCE) | {"payment_review"}
    assert set(jobs.jobs) == {f"jewellery.{name}" for name in names}


@pytest.mark.parametrize(("name", "cron", "priority", "catch_up", "alias"), TABLE)
def test_each_is_as_the_table_says(
    jobs: Catalogue, name: str, cron: str, priority: Priority, catch_up: CatchUp, alias: str
) -> None:
    job = jobs.resolve(alias)
    assert job.name == f"jewellery.{name}"
    assert job.trigger == Cron(cron, tz="Asia/Kolkata")
    assert (job.priority, job.catch_up, job.business_day_offset) == (priority, catch_up, 0)
    assert job.timeout <= timedelta(minutes=30)


@pytest.mark.parametrize("name", WORKED_AT_ONCE)
def test_what_customers_wait_for_is_woken_and_looked_for_every_two_seconds(jobs: Catalogue, name: str) -> None:
    alias, queue = WORKED_AT_ONCE[name]
    job = jobs.resolve(alias)
    assert (job.name, job.priority) == (f"jewellery.{name}", H)
    assert job.trigger == Poll(timedelta(seconds=2), queue)


def test_only_a_person_decides_about_a_payment_and_says_why(jobs: Catalogue) -> None:
    job = jobs.resolve("payment-review")
    assert (job.trigger, job.retries) == (OnDemand(), 0)
    assert [name for name, job in jobs.jobs.items() if job.sensitive] == ["jewellery.payment_review"]


def test_the_monthly_job_is_due_on_firsts_and_not_every_thirty_days(jobs: Catalogue) -> None:
    monthly = jobs.resolve("unverified-user-cleanup").trigger
    assert isinstance(monthly, Cron)
    due = schedule.upcoming(monthly, datetime(2027, 12, 15, tzinfo=UTC), 4)
    assert [instant.at.isoformat() for instant in due] == [
        "2027-12-31T18:30:00+00:00", "2028-01-31T18:30:00+00:00", "2028-02-29T18:30:00+00:00",
        "2028-03-31T18:30:00+00:00",
    ]  # fmt: skip
