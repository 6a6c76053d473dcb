"""By when a job must have succeeded again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import Context, Cron, Every, OnDemand, minutes
from daemon.expectations import Expectations, expected
from daemon.job import Poll
from daemon.schedule import upcoming
from tests.daemon.harness import a_job

FRIDAY = datetime(2026, 3, 6, 9, 0, 30, tzinfo=UTC)


async def nothing(_: Context) -> None: ...


def by(trigger: Any, since: datetime, **options: Any) -> tuple[datetime, datetime | None] | None:
    found = expected(a_job(nothing, trigger, timeout=minutes(5), **options), since)
    return None if found is None else (found.by, found.twice)


def test_a_weekday_job_owes_nothing_on_the_weekend() -> None:
    monday, tuesday = datetime(2026, 3, 9, 9, 5, tzinfo=UTC), datetime(2026, 3, 10, 9, 5, tzinfo=UTC)
    assert by(Cron("0 9 * * 1-5", tz="UTC"), FRIDAY) == (monday, tuesday)


def test_what_waits_for_others_may_wait_for_them_first() -> None:
    found = by(Cron("0 9 * * *", tz="UTC"), FRIDAY, requires=("test.other",), dependency_timeout=timedelta(hours=6))
    assert found is not None
    assert found[0] == datetime(2026, 3, 7, 15, 5, tzinfo=UTC)


@pytest.mark.parametrize("trigger", [OnDemand(), Poll(timedelta(seconds=5))])
def test_what_has_no_schedule_owes_nothing(trigger: Any) -> None:
    assert by(trigger, FRIDAY) is None


def test_a_disabled_job_owes_nothing() -> None:
    assert by(Every(60, phase=0), FRIDAY, enabled=False) is None


@given(st.integers(1, 90_000), st.integers(0, 10**6))
def test_the_second_is_late_when_two_instants_and_the_timeout_have_passed(period: int, offset: int) -> None:
    since, trigger = FRIDAY + timedelta(seconds=offset), Every(period, phase=0)
    first, second = (i.at for i in upcoming(trigger, since, 2))
    assert by(trigger, since) == (first + minutes(5), second + minutes(5))


def test_what_is_known_is_not_worked_out_again_until_something_changes() -> None:
    daily, hourly = (a_job(nothing, Cron(text, tz="UTC"), "t.one") for text in ("0 9 * * *", "0 * * * *"))
    expectations = Expectations()
    first = expectations.of({"t.one": daily}, {"t.one": FRIDAY})["t.one"]
    assert expectations.of({"t.one": daily}, {"t.one": FRIDAY})["t.one"] is first
    later = expectations.of({"t.one": daily}, {"t.one": FRIDAY + timedelta(days=1)})["t.one"]
    assert later.by == first.by + timedelta(days=1)
    assert expectations.of({"t.one": hourly}, {"t.one": FRIDAY})["t.one"].by < first.by
    assert expectations.of({"t.one": hourly}, {}) == {}
