"""Weeks and months: of days' figures alone, true again when days are counted anew, and judged by those before."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workers.productivity.calendar_reference import theil_sen
from tests.workers.productivity.platform import Person, Platform, at
from workers.productivity.daily_analytics import daily_analytics
from workers.productivity.monthly_insights import monthly_insights
from workers.productivity.rollups import change_pct
from workers.productivity.weekly_aggregation import weekly_aggregation
from workers.productivity.zone_days import sundays_week
from workers.tutoring.anomalies import judged

SUNDAY = at("2026-11-22T02:00")
WEEK = date(2026, 11, 15)
MONTH = date(2026, 10, 1)
ONE_DAY = timedelta(days=1)

figures = st.floats(-1000, 1000).map(lambda value: round(value, 2)) | st.integers(0, 3).map(float)
series = st.lists(figures, max_size=20)


async def days_of(platform: Platform, first: date, *days: dict[str, Any]) -> None:
    """Days that daily_analytics has counted."""
    await platform.connection.executemany(
        "INSERT INTO productivity.metric_daily (day, metric, value) VALUES ($1, $2, $3)",
        [(first + n * ONE_DAY, metric, value) for n, day in enumerate(days) for metric, value in day.items()],
    )


def by_metric(result: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    return {line["metric"]: (line["value"], line["before"]) for line in result["figures"]}


async def test_a_week_adds_what_adds_up_and_takes_ratios_of_the_sums(platform: Platform) -> None:
    day = {"is_complete": 1, "dau": 10, "wau": 20, "mau": 40, "sessions": 30, "focus_minutes": 100, "goals_due": 4,
           "goals_done_on_time": 1, "session_minutes_median": 25}  # fmt: skip
    before = [{**day, "sessions": 20}] * 7
    last = {**day, "dau": 17, "wau": 21, "mau": 44, "focus_minutes": 170, "goals_done_on_time": 4}
    await days_of(platform, WEEK - 7 * ONE_DAY, *before, *[day] * 6, last)
    result = await platform.run(weekly_aggregation, SUNDAY)
    assert result["start"] == "2026-11-15"
    found = by_metric(result)
    assert {name: value for name, (value, _) in found.items()}.items() >= {
        "days": "7", "dau_average": "11.0000", "wau": "21", "mau": "44", "sessions": "210",
        "goal_completion_rate": "0.3571",
    }.items()  # fmt: skip
    assert (found["sessions"], found["stickiness"][0]) == (("210", "140"), "0.2500")
    (sessions,) = [line for line in result["figures"] if line["metric"] == "sessions"]
    assert sessions["change_pct"] == "50.0"


async def test_an_empty_platform_has_an_empty_week_and_month(platform: Platform) -> None:
    empty = {"anomalies": 0, "figures": []}
    assert await platform.run(weekly_aggregation, SUNDAY) == {"start": "2026-11-15", **empty}
    assert await platform.run(monthly_insights, at("2026-11-01T03:00")) == {"start": "2026-10-01", **empty}


async def test_a_week_and_a_month_are_true_again_after_what_came_late(platform: Platform) -> None:
    await platform.people(Person(1, created=at("2026-10-28T12:00")))
    await platform.focused(1, ("2026-10-30T09:00", "2026-10-30T10:00"))
    first = at("2026-11-01T01:00")
    await platform.run(daily_analytics, first)
    await platform.run(weekly_aggregation, first)
    month = await platform.run(monthly_insights, at("2026-11-01T03:00"))
    assert by_metric(month)["focus_minutes"][0] == "60.00"
    await platform.focused(1, ("2026-10-31T09:00", "2026-10-31T10:00"))
    result = await platform.run(daily_analytics, first + ONE_DAY)
    assert result["rolled_up_again"] == 2
    minutes = "SELECT value FROM productivity.{} WHERE metric = 'focus_minutes'"
    assert await platform.rows(minutes.format("metric_weekly")) == [(120,)]
    assert await platform.rows(minutes.format("metric_monthly")) == [(120,)]


async def test_a_month_tells_how_many_of_its_cohorts_stayed_each_weighted_by_its_people(platform: Platform) -> None:
    await days_of(platform, MONTH, {"is_complete": 1, "dau": 1, "mau": 1})
    await platform.connection.executemany(
        "INSERT INTO productivity.retention VALUES ($1, $2, $3, $4, $5)",
        [(MONTH, 7, 1, 1, 1), (MONTH + ONE_DAY, 7, 9, 0, 0), (MONTH + 2 * ONE_DAY, 7, 100, 100, None),
         (MONTH - ONE_DAY, 7, 100, 100, 1)],
    )  # fmt: skip
    result = await platform.run(monthly_insights, at("2026-11-01T03:00"))
    (line,) = [line for line in result["figures"] if line["metric"] == "retention"]
    assert (line["n"], line["value"]) == (7, "0.1000")


async def test_a_week_unlike_the_fourteen_before_is_an_anomaly(platform: Platform) -> None:
    for back in range(14, -1, -1):
        day = {"is_complete": 1, "sessions": 100 + back % 3 if back else 900}
        await days_of(platform, WEEK - 7 * back * ONE_DAY, *[day] * 7)
        result = await platform.run(weekly_aggregation, SUNDAY - 7 * back * ONE_DAY)
    assert result["anomalies"] == 1
    assert await platform.rows("SELECT metric, at, dims, value, direction FROM productivity.anomaly") == [
        ("sessions", at("2026-11-15T00:00"), '{"period": "week"}', 6300, "high")
    ]


async def test_the_first_run_makes_what_there_are_days_of_and_no_week_or_month_of_which_some_are_missing(
    platform: Platform,
) -> None:
    first = date(2026, 8, 2)  # a Sunday, and the second of a month
    await days_of(platform, first, *[{"is_complete": 1, "sessions": 1}] * (WEEK + 7 * ONE_DAY - first).days)
    await platform.run(weekly_aggregation, SUNDAY)
    await platform.run(monthly_insights, at("2026-11-01T03:00"))
    of_days = "SELECT {0}, value FROM productivity.metric_{1} WHERE metric = 'days' ORDER BY 1"
    weeks = await platform.rows(of_days.format("week_start", "weekly"))
    assert weeks == [(first + 7 * n * ONE_DAY, 7) for n in range(16)]
    assert await platform.rows(of_days.format("month", "monthly")) == [(date(2026, 9, 1), 30), (date(2026, 10, 1), 31)]


@given(st.lists(st.tuples(figures, series), min_size=60, max_size=60))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
async def test_scores_are_those_of_plain_python(platform: Platform, cases: list[tuple[float, list[float]]]) -> None:
    rows = await platform.rows(
        "SELECT v.* FROM unnest($1::float8[], $2::text[]) WITH ORDINALITY AS c (value, history, n) "
        "LEFT JOIN LATERAL productivity.judged(c.value, c.history::float8[]) v ON true ORDER BY c.n",
        [value for value, _ in cases], ["{" + ",".join(map(str, history)) + "}" for _, history in cases],
    )  # fmt: skip
    for (value, history), (baseline, score, direction, is_unusual) in zip(cases, rows, strict=True):
        expected = judged(value, history)
        if expected is None:
            assert (baseline, score, is_unusual) == (None, None, None)
            continue
        assert (baseline, score) == (pytest.approx(expected.baseline), pytest.approx(expected.score))
        if expected.score is None or abs(abs(expected.score) - 3.5) > 1e-9:
            assert is_unusual == expected.unusual
        assert direction == ("high" if expected.direction == "none" else expected.direction)


@given(st.lists(series, min_size=40, max_size=40))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
async def test_slopes_are_those_of_plain_python(platform: Platform, cases: list[list[float]]) -> None:
    rows = await platform.rows(
        "SELECT productivity.theil_sen(c.series::float8[]) FROM unnest($1::text[]) WITH ORDINALITY AS c (series, n) "
        "ORDER BY c.n", ["{" + ",".join(map(str, values)) + "}" for values in cases],
    )  # fmt: skip
    for values, (slope,) in zip(cases, rows, strict=True):
        assert slope == pytest.approx(theil_sen(values), abs=1e-9)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_a_week_begins_with_a_sunday(day: date) -> None:
    assert sundays_week(day).isoweekday() == 7
    assert timedelta(0) <= day - sundays_week(day) < timedelta(days=7)


@pytest.mark.parametrize(
    ("day", "week"), [("2026-11-22", "2026-11-15"), ("2026-11-25", "2026-11-15"), ("2026-11-28", "2026-11-15")]
)
async def test_by_hand_on_any_day_it_is_the_last_week_that_is_over(platform: Platform, day: str, week: str) -> None:
    assert (await platform.run(weekly_aggregation, datetime.fromisoformat(f"{day}T02:00+00:00")))["start"] == week


@pytest.mark.parametrize(
    ("now", "before", "change"), [("3", "2", "50.0"), ("-1", "-2", "50.0"), ("1", "0", None), (None, "1", None)]
)
def test_a_change_is_in_percent_of_what_was_before(now: str | None, before: str, change: str | None) -> None:
    found = change_pct(None if now is None else Decimal(now), Decimal(before))
    assert found == (None if change is None else Decimal(change))


async def test_a_week_is_judged_when_its_saturday_is_over_everywhere(platform: Platform) -> None:
    """At two on Sunday half of Saturday is missing in America: few sessions are no news before they are all there."""
    for back in range(14, -1, -1):
        days = [{"is_complete": 1, "sessions": 100 + back % 3}] * 7
        if not back:
            days[6] = {"is_complete": 0, "sessions": 1}
        await days_of(platform, WEEK - 7 * back * ONE_DAY, *days)
    assert (await platform.run(weekly_aggregation, SUNDAY))["anomalies"] == 0
    await platform.connection.execute("UPDATE productivity.metric_daily SET value = 1 WHERE metric = 'is_complete'")
    assert (await platform.run(weekly_aggregation, SUNDAY))["anomalies"] == 1
