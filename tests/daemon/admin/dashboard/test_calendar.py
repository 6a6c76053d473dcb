"""A job's days by what became of them, and bars for how long it took."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from daemon.admin.dashboard.calendar import WEEKS, gaps, on_days, sparks, weeks
from daemon.schedule import Cron

TODAY = date(2026, 11, 26)  # a Thursday


def test_weeks_are_whole_and_the_last_has_today_in_it() -> None:
    made = weeks([], TODAY)
    assert [len(week) for week in made] == [7] * WEEKS
    assert (made[0][0].date.weekday(), made[-1][3].date) == (0, TODAY)
    assert made[-1][3].state == "none"
    assert made[-1][3].title == "2026-11-26: nothing due"


def test_a_day_shows_the_worst_of_it_and_the_commonest_reasons() -> None:
    rows = [
        {"day": TODAY, "state": "succeeded", "instants": 20, "reasons": None},
        {"day": TODAY, "state": "skipped", "instants": 3, "reasons": ["overlap with run 7", "paused by ada"]},
        {"day": TODAY - timedelta(days=400), "state": "failed", "instants": 1, "reasons": None},
    ]
    day = weeks(rows, TODAY)[-1][3]
    assert day.state == "skipped"
    assert day.title == "2026-11-26: 3 skipped, 20 succeeded (overlap with run 7; paused by ada)"


def missed(first: datetime, last: datetime, count: int, why: str = "too late") -> dict[str, Any]:
    return {
        "day": None, "state": "missed", "due_at": first, "due_until": last, "instants": count, "reasons": [why]
    }  # fmt: skip


def test_every_day_of_an_outage_is_coloured_and_its_reason_told_once() -> None:
    monday = datetime(2026, 11, 23, 12, tzinfo=UTC)
    outage = missed(monday, monday + timedelta(days=2), 577)
    one = {"day": date(2026, 11, 3), "state": "held", "due_until": None, "instants": 1, "reasons": ["paused by ada"]}
    made = weeks(on_days([outage, one], Cron("*/5 * * * *"), ZoneInfo("UTC")), TODAY)
    assert [day.counts["missed"] for day in made[-1]] == [144, 288, 145, 0, 0, 0, 0]
    assert [(gap.days, gap.state, gap.why) for gap in gaps(made)] == [
        ("2026-11-23 to 2026-11-25", "missed", "too late"), ("2026-11-03", "held", "paused by ada")
    ]  # fmt: skip


def test_days_on_which_nothing_was_due_do_not_part_a_gap_but_a_good_day_does() -> None:
    failed = [
        {"day": TODAY - timedelta(days=back), "state": "failed", "instants": 1, "reasons": ["no"]}
        for back in (0, 14, 21)
    ]
    good = {"day": TODAY - timedelta(days=7), "state": "succeeded", "instants": 1, "reasons": None}
    rows = [*failed, good]
    assert [gap.days for gap in gaps(weeks(rows, TODAY))] == ["2026-11-26", "2026-11-05 to 2026-11-12"]


@given(st.lists(st.tuples(st.integers(1, 99), st.sampled_from(["succeeded", "failed"]),
       st.none() | st.floats(0, 1e6), st.just("")), max_size=60))  # fmt: skip
def test_the_longest_run_is_the_highest_and_none_is_without_height(
    runs: list[tuple[int, str, float | None, str]],
) -> None:
    made = sparks(runs)
    assert all(0 < spark.height <= 1 for spark in made)
    assert [spark.run for spark in made] == [run for run, _, _, _ in runs]
    if any(seconds for _, _, seconds, _ in runs):
        assert max(spark.height for spark in made) == 1
