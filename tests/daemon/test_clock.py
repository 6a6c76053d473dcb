"""The database's clock as a node knows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.clock import SLEW, DatabaseClock

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


class Machine:
    """Our clocks, and a server's that drifts against them."""

    def __init__(self, drift: float = 0.0) -> None:
        self.at, self.drift, self.stepped = 1000.0, drift, 0.0
        self.clock = DatabaseClock(monotonic=lambda: self.at, boottime=lambda: self.at)

    @property
    def server(self) -> datetime:
        return NOON + timedelta(seconds=(self.at - 1000.0) * (1 + self.drift) + self.stepped)

    def read(self, there: float, back: float) -> timedelta:
        """The question took `there` seconds, the answer `back`."""
        self.at += there
        answer = self.server
        self.at += back
        return self.clock.learn(answer, there + back)

    @property
    def behind(self) -> float:
        return (self.server - self.clock.now()).total_seconds()


TRAVELS = st.lists(
    st.tuples(st.floats(0.01, 60), st.floats(0, 0.5), st.floats(0, 0.5)), min_size=1, max_size=20
)  # fmt: skip


@given(st.floats(-SLEW, SLEW), TRAVELS)
def test_it_never_runs_ahead_of_the_server_and_is_behind_by_the_quickest_answer_at_most(
    drift: float, travels: list[tuple[float, float, float]]
) -> None:
    machine = Machine(drift)
    ages: list[tuple[float, float]] = []
    for since, there, back in travels:
        machine.at += since
        machine.read(there, back)
        ages.append((machine.at, back))
        # of rounding: a datetime has whole microseconds
        slack = 1e-3  # the clocks drift while the answer travels, too
        assert -slack <= machine.behind
        assert machine.behind <= min(late + 2.5 * SLEW * (machine.at - at) for at, late in ages) + slack


def test_an_answer_that_was_long_on_its_way_does_not_make_later_ticks_late() -> None:
    machine = Machine()
    machine.read(0.001, 0.001)
    machine.at += 10
    machine.read(0.001, 0.3)
    assert machine.behind < 0.01


@pytest.mark.parametrize("step", [-7200.0, -2.0, -0.1, 0.1, 2.0, 7200.0])
def test_a_step_of_the_server_is_taken_in_with_the_next_answer(step: float) -> None:
    machine = Machine()
    machine.read(0.001, 0.001)
    machine.at, machine.stepped = machine.at + 10, step
    moved = machine.read(0.001, 0.001)
    assert moved.total_seconds() == pytest.approx(step, abs=0.01)
    assert 0 <= machine.behind < 0.01
    machine.at += 10
    assert machine.read(0.001, 0.001).total_seconds() == pytest.approx(0, abs=0.01)


def test_a_first_reading_does_not_count_as_a_step_and_none_at_all_is_an_error() -> None:
    machine = Machine()
    with pytest.raises(RuntimeError, match="has not been read yet"):
        machine.clock.now()
    assert machine.clock.apart(NOON) is None
    assert machine.read(0.2, 0.2) == timedelta(0)
    assert machine.clock.seconds_until(NOON + timedelta(minutes=1)) == pytest.approx(59.8)
