"""From which instant data is too old: elapsed hours and days, calendar months of the suite's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from workers.investment.ages import CleanupSettings, cutoffs, local_months_before, months_before

INDIA = ZoneInfo("Asia/Kolkata")


def test_the_ages_are_those_of_the_specification() -> None:
    found = cutoffs(datetime(2026, 11, 22, 2, tzinfo=INDIA), CleanupSettings())
    assert found.process_logs == datetime(2026, 10, 23, 2, tzinfo=INDIA)
    assert found.sessions == datetime(2026, 11, 21, 2, tzinfo=INDIA)
    assert found.notifications == datetime(2026, 8, 24, 2, tzinfo=INDIA)
    assert found.completed_investments == date(2025, 11, 22)
    assert found.system_settings == datetime(2026, 5, 22, 2, tzinfo=INDIA)


def test_the_day_is_the_suites_and_not_utc() -> None:
    found = cutoffs(datetime(2026, 11, 21, 20, 30, tzinfo=UTC).astimezone(INDIA), CleanupSettings())
    assert found.completed_investments == date(2025, 11, 22)


def test_a_session_has_24_hours_also_when_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    found = cutoffs(datetime(2026, 3, 29, 4, tzinfo=berlin), CleanupSettings())
    assert found.sessions == datetime(2026, 3, 28, 3, tzinfo=berlin)


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 10, 31), 8, date(2026, 2, 28)),
        (date(2024, 10, 29), 8, date(2024, 2, 29)),
        (date(2028, 2, 29), 12, date(2027, 2, 28)),
        (date(2028, 2, 29), 48, date(2024, 2, 29)),
        (date(2026, 1, 31), 1, date(2025, 12, 31)),
        (date(2026, 12, 31), 12, date(2025, 12, 31)),
        (date(2026, 5, 31), 6, date(2025, 11, 30)),
    ],
)
def test_months_are_of_the_calendar_and_end_with_their_last_day(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"process_log_days": 0}, "greater than 0"),
        ({"session_hours": -24}, "greater than 0"),
        ({"notification_days": 0}, "greater than 0"),
        ({"completed_investment_months": 0}, "greater than 0"),
        ({"system_setting_months": 5000}, "less than or equal to 1200"),
        ({"require_backup_within_hours": 0}, "greater than 0"),
        ({"session_days": 3}, "Extra inputs"),
    ],
)
def test_ages_that_cannot_be_meant_are_refused(given_: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CleanupSettings(**given_)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 - hypothesis draws naive ones
    st.integers(1, 400),
    st.sampled_from(["Asia/Kolkata", "Europe/Berlin", "America/New_York", "Pacific/Apia", "UTC"]),
)
async def test_months_back_are_what_postgresql_says(
    connection: asyncpg.Connection, at: datetime, months: int, zone: str
) -> None:
    instant = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    async with connection.transaction():
        await connection.execute(f"SET LOCAL timezone = '{zone}'")
        theirs = await connection.fetchval("SELECT $1::timestamptz - make_interval(months => $2)", instant, months)
    assert abs(local_months_before(instant, months) - theirs) <= timedelta(hours=1 if _twice(instant, months) else 0)


def _twice(instant: datetime, months: int) -> bool:
    """A wall-clock time that came twice, of which PostgreSQL takes the second."""
    ours = local_months_before(instant, months)
    return ours.utcoffset() != ours.replace(fold=1).utcoffset()
