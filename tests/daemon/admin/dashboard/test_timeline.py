"""The bars of a day: every instant in its slot, neighbours joined, the worst shown."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from daemon import schedule
from daemon.admin.dashboard import timeline
from daemon.admin.dashboard.spans import Span
from daemon.admin.dashboard.timeline import MOST_INSTANTS, SLOT, SLOTS, WORST_FIRST, Bar
from daemon.schedule import Cron, Every

NOON = datetime(2026, 3, 10, 12, 10, tzinfo=UTC)


def test_a_slot_begins_at_the_half_hour() -> None:
    assert timeline.slot_start(NOON) == datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    assert timeline.slot_start(NOON + timedelta(minutes=20)) == datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


def test_neighbours_of_one_fate_are_one_bar_and_the_worst_of_a_slot_is_shown() -> None:
    counts = timeline.past(
        [(-4, "succeeded", 3), (-3, "succeeded", 2), (-3, "failed", 1), (-2, "failed", 1), (0, "failed", 1)]
    )  # fmt: skip
    assert timeline.bars(counts) == [
        Bar(-4, 1, "succeeded", "3 succeeded"),
        Bar(-3, 2, "failed", "2 failed, 2 succeeded"),
        Bar(0, 1, "failed", "1 failed"),
    ]
    assert timeline.described(counts) == "3 failed, 5 succeeded"


def test_a_span_that_began_before_the_day_is_in_each_slot_it_was_due_in_and_counted_once() -> None:
    start = timeline.slot_start(NOON)
    span = Span(start - timedelta(hours=30), start - timedelta(hours=22), 9)  # every hour
    slots = list(timeline.of_span(Cron("0 * * * *"), span, start))
    assert slots == [(-SLOTS, 1), (-SLOTS + 2, 1), (-SLOTS + 4, 1)]
    assert timeline.described(timeline.past((slot, "missed", n) for slot, n in slots)) == "3 missed"


@given(st.dictionaries(st.integers(-SLOTS, SLOTS - 1), st.dictionaries(st.sampled_from(WORST_FIRST), st.integers(1, 9),
       min_size=1)))  # fmt: skip
def test_bars_cover_every_slot_with_instants_once_and_no_other(given_counts: dict[int, dict[str, int]]) -> None:
    counts = {slot: Counter(states) for slot, states in given_counts.items()}
    covered = [slot for bar in timeline.bars(counts) for slot in range(bar.start, bar.start + bar.width)]
    assert covered == sorted(counts)


@given(
    st.sampled_from(
        [Cron("*/30 * * * *"), Cron("17 3 * * *", tz="Asia/Kolkata"), Cron("*/5 * * * *"), Every(7200, 13)]
    ),
    st.integers(0, 365 * 86400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
)
def test_what_comes_is_counted_in_its_slots_as_the_schedule_names_it(when: schedule.Schedule, now: datetime) -> None:
    start = timeline.slot_start(now)
    end = start + SLOTS * SLOT
    wanted = Counter((i.at - start) // SLOT for i in schedule.instants(when, now, end) if i.at < end)
    assert Counter({slot: n for slot, n in enumerate(timeline.coming(when, now)) if n}) == wanted


def test_a_job_that_is_due_each_second_is_taken_to_go_on_as_it_began() -> None:
    counts = timeline.coming(Every(1, phase=0), NOON)
    assert len(counts) == SLOTS
    assert counts[0] == MOST_INSTANTS
    assert min(counts) > 0
