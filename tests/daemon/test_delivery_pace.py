"""How fast a channel is sent to."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from daemon.delivery_pace import LONGEST_HOLD, Pace


@given(st.floats(0.1, 100), st.lists(st.floats(0, 5), min_size=2, max_size=50))
def test_no_second_holds_more_than_its_share(per_second: float, gaps: list[float]) -> None:
    pace, now, begun = Pace(per_second), 0.0, []
    for gap in gaps:
        now += gap
        begun.append(now + pace.reserve(now))
    assert all(later - earlier >= 1 / per_second - 1e-6 for earlier, later in pairwise(begun))


def test_without_a_rate_nothing_waits_unless_the_other_side_asks_for_it() -> None:
    pace = Pace(None)
    assert [pace.reserve(0.0) for _ in range(5)] == [0.0] * 5
    pace.hold(0.0, 2.0)
    assert [pace.reserve(0.5), pace.reserve(1.0), pace.reserve(2.0)] == [1.5, 1.0, 0.0]


def test_a_pause_is_believed_for_five_minutes_at_most_and_never_shortened() -> None:
    pace = Pace(None)
    pace.hold(0.0, 1e6)
    pace.hold(0.0, 1.0)
    assert pace.wait(0.0) == LONGEST_HOLD


def test_pauses_that_follow_one_another_double_up_to_five_minutes_until_something_goes_through() -> None:
    pace, now, waited = Pace(None), 0.0, []
    for _ in range(9):
        pace.slow_down(now, 2.0)
        waited.append(pace.wait(now))
        now += pace.wait(now)
    assert waited == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    pace.went_through()
    pace.slow_down(now, 2.0)
    assert pace.wait(now) == 2.0


def test_answers_to_what_was_under_way_when_a_pause_began_do_not_double_it() -> None:
    pace = Pace(None)
    for at in (0.0, 0.1, 0.2):
        pace.slow_down(at, 2.0)
    assert pace.wait(0.2) == 2.0
