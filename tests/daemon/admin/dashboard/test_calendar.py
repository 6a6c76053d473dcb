"""A job's days by what became of them, and bars for how long it took."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from daemon.admin.dashboard.calendar import WEEKS, sparks, weeks

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
