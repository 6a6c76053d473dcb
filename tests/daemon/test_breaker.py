"""A channel that is away costs one probe now and then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.breaker import CLOSED, FIRST_PROBE, LONGEST_PAUSE


def test_it_is_closed_until_the_channel_is_found_away() -> None:
    assert CLOSED.closed
    breaker = CLOSED.opened(100.0)
    assert not breaker.closed
    assert (breaker.opened_at, breaker.wait(100.0), breaker.wait(105.0), breaker.wait(500.0)) == (100.0, 5.0, 0.0, 0.0)


def test_the_pause_between_probes_doubles_up_to_five_minutes() -> None:
    breaker, pauses = CLOSED.opened(0.0), []
    for _ in range(9):
        breaker = breaker.probed_in_vain(0.0)
        pauses.append(breaker.wait(0.0))
    assert pauses == [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0, 300.0]


def test_a_channel_that_only_probes_find_well_is_left_alone_longer_each_time() -> None:
    breaker, pauses = CLOSED, []
    for _ in range(9):
        breaker = breaker.opened(0.0)
        pauses.append(breaker.wait(0.0))
        breaker = breaker.closed_on_trial()
        assert breaker.closed
    assert pauses == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]


def test_what_is_found_away_again_does_not_put_the_probe_off() -> None:
    breaker = CLOSED.opened(0.0)
    assert breaker.opened(4.0) is breaker


def test_a_closed_one_is_not_probed() -> None:
    with pytest.raises(ValueError, match="closed"):
        CLOSED.probed_in_vain(0.0)


@given(st.floats(0, 1e9), st.integers(0, 200))
def test_however_long_it_lasts_a_probe_is_never_far_and_when_it_began_is_known(now: float, probes: int) -> None:
    breaker = CLOSED.opened(now)
    for _ in range(probes):
        breaker = breaker.probed_in_vain(now)
    assert breaker.opened_at == now
    assert FIRST_PROBE - 1e-3 <= breaker.wait(now) <= LONGEST_PAUSE + 1e-3
