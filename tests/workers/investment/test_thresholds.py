"""When a measurement is bad, and what is told about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workers.investment.thresholds import Ceiling, Finding, Floor, HealthSettings, Severity, Trouble, judge, news

NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Asia/Kolkata"))
OK, WARNING, CRITICAL = Severity


def only(check: str, value: float | None) -> Finding:
    (found,) = judge({check: value}, HealthSettings())
    return found


@pytest.mark.parametrize(
    ("check", "value", "severity"),
    [
        ("database_ms", 500, OK),
        ("database_ms", 500.001, WARNING),
        ("database_ms", 2000, WARNING),
        ("database_ms", 2000.001, CRITICAL),
        ("disk_free_pct:/data", 10, OK),
        ("disk_free_pct:/data", 9.99, WARNING),
        ("disk_free_pct:/data", 5, WARNING),
        ("disk_free_pct:/data", 4.99, CRITICAL),
        ("load_per_core", 1.5, OK),
        ("load_per_core", 1.51, WARNING),
        ("load_per_core", 3.01, CRITICAL),
        ("pending_transactions", 0, OK),
        ("pending_transactions", 1, WARNING),
        ("resident_mb", None, WARNING),
    ],
)
def test_a_value_at_the_limit_is_still_well(check: str, value: float | None, severity: Severity) -> None:
    assert only(check, value).severity is severity


def test_a_finding_says_value_and_limit() -> None:
    assert only("disk_free_pct:/data", 4.25).sentence == "disk_free_pct:/data is 4.25 (under 5)"
    assert only("database_ms", 700).sentence == "database_ms is 700 (over 500)"
    assert only("database_ms", 7).sentence == "database_ms is 7"
    assert only("resident_mb", None).sentence == "resident_mb could not be measured"


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"database_ms": {"warning": 2000, "critical": 500}}, "must be less than critical = 500"),
        ({"database_ms": {"warning": 500, "critical": 500}}, "must be less than critical"),
        ({"database_ms": {"warning": -1, "critical": 500}}, "greater than or equal to 0"),
        ({"database_ms": {"warning": 1}}, "Field required"),
        ({"disk_free_pct": {"warning": 5, "critical": 10}}, "less is worse"),
        ({"disk_free_pct": {"warning": 101, "critical": 10}}, "less than or equal to 100"),
        ({"load_per_core": {"warning": 1, "critical": float("inf")}}, "finite"),
        ({"load_per_core": {"warning": float("nan"), "critical": 1}}, "finite"),
        ({"pending_after_minutes": 0}, "greater than 0"),
        ({"databse_ms": {}}, "Extra inputs"),
    ],
)
def test_limits_that_cannot_work_are_refused(given_: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        HealthSettings(**given_)


def test_a_check_without_limits_is_an_error_and_not_well() -> None:
    with pytest.raises(AttributeError):
        judge({"moon_phase": 1.0}, HealthSettings())


limit = st.floats(min_value=0, max_value=100, allow_nan=False)


@given(limit, limit, limit, limit)
def test_worse_values_are_never_judged_better(a: float, b: float, x: float, y: float) -> None:
    low, high = sorted((a, b))
    if low == high:
        return
    less, more = sorted((x, y))
    assert Ceiling(warning=low, critical=high).severity(less) <= Ceiling(warning=low, critical=high).severity(more)
    assert Floor(warning=high, critical=low).severity(more) <= Floor(warning=high, critical=low).severity(less)


def keys(before: dict[str, Trouble], severity: Severity, at: datetime = NOON) -> list[str]:
    return [told.key for told in news(before, [Finding("disk", severity, 1.0, "")], at)]


def test_what_was_well_and_is_well_is_no_news() -> None:
    assert keys({}, OK) == []


def test_trouble_is_told_once_per_severity_and_hour() -> None:
    since = {"disk": Trouble(WARNING, NOON)}
    assert keys({}, WARNING) == ["health:disk:warning:2026-11-22T06Z"]
    assert keys(since, WARNING, NOON + timedelta(minutes=15)) == ["health:disk:warning:2026-11-22T06Z"]
    assert keys(since, CRITICAL, NOON + timedelta(minutes=15)) == ["health:disk:critical:2026-11-22T06Z"]
    assert keys(since, WARNING, NOON + timedelta(hours=1)) == ["health:disk:warning:2026-11-22T07Z"]


def test_a_recovery_is_told_once_per_trouble() -> None:
    first = keys({"disk": Trouble(CRITICAL, NOON)}, OK, NOON + timedelta(hours=2))
    again = keys({"disk": Trouble(CRITICAL, NOON + timedelta(hours=1))}, OK, NOON + timedelta(hours=2))
    assert first == ["health:disk:recovered:2026-11-22T06:30Z"]
    assert again == ["health:disk:recovered:2026-11-22T07:30Z"]


def test_a_check_that_is_no_longer_made_does_not_recover() -> None:
    assert list(news({"disk_free_pct:/old": Trouble(CRITICAL, NOON)}, [], NOON)) == []


@given(st.lists(st.sampled_from(list(Severity)), min_size=1, max_size=40))
def test_every_trouble_is_followed_by_exactly_one_recovery(course: list[Severity]) -> None:
    known: dict[str, Trouble] = {}
    recovered, told = [], set()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for severity in course:
        for item in news(known, [Finding("disk", severity, 0.0, "")], at):
            recovered += [item.key] if item.recovered else []
            told.add(item.key)
        if severity is OK:
            known.clear()
        else:
            known["disk"] = Trouble(severity, known["disk"].since if "disk" in known else at)
        at += timedelta(minutes=15)
    spells = sum(1 for a, b in zip([OK, *course], course, strict=False) if a is OK and b is not OK)
    ended = spells - (course[-1] is not OK)
    assert len(recovered) == len(set(recovered)) == ended
    assert len(told) <= ended + 2 * (len(course) // 4 + 1)
