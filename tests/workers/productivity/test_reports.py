"""Reports of the dashboard: of the sample people against what their sessions say, and of odd days by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.report import Report
from tests.workers.productivity.platform import Person, Platform, at
from tests.workers.reported import reported
from workers.productivity import reports
from workers.productivity.daily_analytics import daily_analytics
from workers.productivity.monthly_insights import monthly_insights
from workers.productivity.seed import seed
from workers.productivity.weekly_aggregation import weekly_aggregation
from workers.tutoring.anomalies import judged

ONE_DAY = timedelta(days=1)
DAY = date(2026, 11, 25)
RUN = at("2026-11-26T01:00")


async def told(platform: Platform, report: Report, first: date, last: date) -> list[dict[str, Any]]:
    return await reported(platform.connection, "productivity", report, first, last)


async def test_the_sample_peoples_figures_are_those_of_their_days(platform: Platform) -> None:
    """Seeded, counted by the jobs, and read back: against the people's own days."""
    await seed(platform.connection, scale=0.1, cache=Path(), progress=lambda *_: None)
    now: datetime = await platform.connection.fetchval("SELECT sexton.clock()")
    today = now.astimezone(UTC).date()
    night = datetime.combine(today, time(1), UTC)
    await platform.run(daily_analytics, night, now=now)
    await platform.run(weekly_aggregation, night - timedelta(days=(today.weekday() + 1) % 7), now=now)
    await platform.run(monthly_insights, night.replace(day=1, hour=3), now=now)
    first, last = today - timedelta(days=60), today - ONE_DAY

    people = await told(platform, reports.active_people, first, last)
    assert [row["day"] for row in people] == [last - n * ONE_DAY for n in range(60)]
    active = dict(await platform.rows("SELECT day, count(*) FROM productivity.activity_day GROUP BY day"))
    assert {row["day"]: row["dau"] for row in people} == {row["day"]: active.get(row["day"], 0) for row in people}
    assert any(row["dau"] for row in people)
    assert all(row["dau"] <= row["wau"] <= row["mau"] for row in people)
    over = "SELECT day FROM productivity.metric_daily WHERE metric = 'is_complete' AND value = 1 AND day >= $1"
    assert {row["day"] for row in people if not row["so_far"]} == {day for (day,) in await platform.rows(over, first)}
    marked = [row for row in people if row["direction"]]
    assert all(not row["usual_low"] <= row["dau"] <= row["usual_high"] for row in marked)

    by_week = await told(platform, reports.retention_weeks, today - timedelta(days=250), today)
    by_day = await told(platform, reports.retention_days, today - timedelta(days=250), today)
    assert {row["n"] for row in by_week} == {1, 7, 14, 30}
    assert sum(row["retained"] or 0 for row in by_week) == sum(row["retained"] or 0 for row in by_day) > 0
    weeks = {(row["week"], row["size"]) for row in by_week}
    assert sum(size for _, size in weeks) == sum(size for _, size in {(row["day"], row["size"]) for row in by_day})
    assert all((row["rate"] is None) == (row["retained"] is None) for row in by_day)

    (month, *_) = await told(platform, reports.months, today - timedelta(days=62), today)
    assert month["month"] == (today.replace(day=1) - ONE_DAY).replace(day=1)
    (week, *_) = await told(platform, reports.weeks, today - timedelta(days=21), today)
    used = [row for row in await told(platform, reports.features, week["week"], today) if row["week"] == week["week"]]
    assert sum(row["share"] for row in used) in (Decimal("0.9999"), 1, Decimal("1.0001"))
    assert sum(row["sessions"] for row in used) <= week["sessions"]


async def test_an_unusual_day_says_what_would_have_been_usual(platform: Platform) -> None:
    await platform.people(*(Person(id_, created=RUN - 40 * ONE_DAY) for id_ in range(1, 31)))
    for back in range(30):
        day = DAY - back * ONE_DAY
        for id_ in range(1, 31 if back == 0 else 9 + back % 3):
            await platform.focused(id_, (f"{day}T09:00", f"{day}T09:30"))
    await platform.run(daily_analytics, RUN)
    (row, *others) = await told(platform, reports.active_people, DAY - 10 * ONE_DAY, DAY)
    assert (row["day"], row["dau"], row["direction"]) == (DAY, 30, "high")
    assert row["usual_low"] <= 9 <= row["usual_high"] < 30
    assert all(other["direction"] is None and other["usual_low"] is None for other in others)
    found = await told(platform, reports.unusual, DAY, DAY)
    assert {"dau", "sessions", "focus minutes"} <= {line["metric"] for line in found}
    assert {(line["period"], line["at"]) for line in found} == {("day", DAY.isoformat())}


async def test_what_was_unusual_in_a_day_has_its_date_in_every_zone_and_in_an_hour_its_instant(
    platform: Platform,
) -> None:
    unusual = [(at("2026-11-25T00:00"), "{}"), (at("2026-11-25T14:00"), '{"period": "hour"}'),
               (at("2026-11-22T00:00"), '{"period": "week"}')]  # fmt: skip
    await platform.connection.executemany(
        "INSERT INTO productivity.anomaly (metric, at, dims, value, direction) VALUES ('dau', $1, $2, 1, 'low')",
        unusual,
    )
    found = await told(platform, reports.unusual, DAY - 7 * ONE_DAY, DAY)
    assert [(line["period"], line["at"]) for line in found] == [
        ("hour", "2026-11-25 14:00 UTC"), ("day", "2026-11-25"), ("week", "2026-11-22"),
    ]  # fmt: skip


async def test_weeks_are_whole_from_the_one_on_that_the_first_day_is_in(platform: Platform) -> None:
    sunday, friday = date(2026, 11, 15), date(2026, 11, 20)
    await platform.connection.executemany(
        "INSERT INTO productivity.retention VALUES ($1, 1, 2, 1, 0.5)",
        [(sunday + n * ONE_DAY,) for n in range(-1, 8)],
    )
    await platform.connection.executemany(
        "INSERT INTO productivity.metric_weekly (week_start, metric, dims, value) VALUES ($1, $2, $3, 3)",
        [(sunday + 7 * n * ONE_DAY, metric, dims) for n in (-1, 0, 1)
         for metric, dims in (("wau", "{}"), ("feature_sessions", '{"feature": "pomodoro"}'))],
    )  # fmt: skip
    for first, last in ((friday, friday), (sunday, friday), (friday, sunday + 6 * ONE_DAY)):
        for report in (reports.weeks, reports.features, reports.retention_weeks):
            assert [row["week"] for row in await told(platform, report, first, last)] == [sunday]
    (week,) = await told(platform, reports.retention_weeks, friday, sunday + 6 * ONE_DAY)
    assert (week["size"], week["retained"]) == (14, 7)


@given(st.lists(st.integers(0, 1000), min_size=8, max_size=14), st.integers(0, 3000))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
async def test_the_usual_range_is_where_the_rule_would_not_have_flagged(
    platform: Platform, history: list[int], value: int
) -> None:
    """The view turns the rule around: just within its bounds nothing is unusual, just beyond everything is."""
    verdict = judged(value, history)
    if verdict is None or not verdict.unusual:
        return
    await platform.connection.execute("DELETE FROM productivity.anomaly")
    await platform.connection.execute(
        "INSERT INTO productivity.anomaly VALUES ('dau', $1, '{}', $2, $3, $4, $5)",
        RUN, Decimal(value), Decimal(verdict.baseline), None if verdict.score is None else Decimal(verdict.score),
        verdict.direction,
    )  # fmt: skip
    shown = await platform.connection.fetchrow("SELECT low::float8, high::float8 FROM productivity.unusual_figure")
    assert shown is not None
    low, high = shown["low"], shown["high"]
    assert not low <= value <= high
    for inside, outside in ((low + 1e-6, low - 1e-6), (high - 1e-6, high + 1e-6)):
        within, beyond = judged(inside, history), judged(outside, history)
        assert within is not None
        assert beyond is not None
        assert not within.unusual
        assert beyond.unusual
