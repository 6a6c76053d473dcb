"""The rules of states: thresholds, blocks, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workers.tutoring.failover import Judged, Known, LimitSettings, State, judge, used
from workers.tutoring.provider_headers import Level

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SOON = NOON + timedelta(minutes=1)
LIMITS = LimitSettings()
OK, WARN, FAILOVER, BLOCKED, UNKNOWN = State.OK, State.WARN, State.FAILOVER, State.BLOCKED, State.UNKNOWN


def level(percent: float, reset_at: datetime = SOON, dim: str = "requests") -> Level:
    return Level(dim, 10_000, round(10_000 - 100 * percent), reset_at)


def after(state: State, *levels: Level, held: datetime | None = None, good: int | None = 3) -> Judged:
    return judge(Known(state, held, levels, good), NOON, LIMITS)


@pytest.mark.parametrize(
    ("percent", "state"),
    [(0, OK), (79.99, OK), (80, WARN), (94.99, WARN), (95, FAILOVER), (99.99, FAILOVER), (100, BLOCKED)],
)
def test_the_thresholds(percent: float, state: State) -> None:
    assert after(OK, level(percent)).state is state


def test_nothing_said_is_unknown_and_not_unused() -> None:
    judged = after(OK)
    assert (judged.state, judged.usage) == (UNKNOWN, None)
    assert after(OK, level(99, NOON)).state is UNKNOWN  # whole again since this moment


def test_the_fullest_limit_counts() -> None:
    judged = after(OK, level(10), level(96, dim="output_tokens"), level(50, dim="month"))
    assert (judged.state, judged.usage, judged.reason) == (
        FAILOVER,
        Fraction(96, 100),
        "96 % of its output tokens used",
    )


def test_a_limit_of_nothing_is_full() -> None:
    assert used(Level("requests", 0, 0, SOON)) == 1
    assert after(OK, Level("requests", 0, 0, SOON)).state is BLOCKED


def test_a_block_lasts_until_the_last_full_limit_is_whole_again() -> None:
    late = NOON + timedelta(hours=3)
    assert after(OK, level(100), level(100, late, "tokens"), level(50, dim="month")).held_until == late


@pytest.mark.parametrize("percent", [0, 79, 96])
def test_no_reading_lets_a_blocked_one_go_before_its_reset(percent: float) -> None:
    judged = after(BLOCKED, level(percent), held=SOON, good=100)
    assert (judged.state, judged.held_until) == (BLOCKED, SOON)


def test_a_block_is_lengthened_and_never_shortened() -> None:
    later = NOON + timedelta(hours=1)
    assert after(BLOCKED, level(100), held=later).held_until == later
    assert after(BLOCKED, level(100, later), held=SOON).held_until == later


@pytest.mark.parametrize(
    ("levels", "held", "good", "state"),
    [
        ((level(10),), None, 3, OK),
        ((level(79.99),), NOON, 3, OK),
        ((), NOON, 3, UNKNOWN),
        ((level(80),), None, 3, FAILOVER),
        ((level(10),), SOON, 3, FAILOVER),
        ((level(10),), None, 2, FAILOVER),
        ((), SOON, 3, FAILOVER),
        ((), None, 0, FAILOVER),
        ((level(10),), None, None, OK),
    ],
)
@pytest.mark.parametrize("before", [FAILOVER, BLOCKED])
def test_the_way_back_wants_room_the_reset_and_good_checks(
    before: State, levels: tuple[Level, ...], held: datetime | None, good: int | None, state: State
) -> None:
    expected = BLOCKED if before is BLOCKED and held == SOON else state
    assert after(before, *levels, held=held, good=good).state is expected


@given(st.lists(st.floats(80, 94.99), min_size=1, max_size=30), st.integers(0, 5))
def test_inside_the_band_a_diverted_provider_never_flaps(readings: list[float], good: int) -> None:
    held, now = SOON, NOON
    for percent in readings:
        judged = judge(Known(FAILOVER, held, [level(percent, now + timedelta(hours=1))], good), now, LIMITS)
        assert judged.state is FAILOVER
        held, now = judged.held_until or held, now + timedelta(minutes=1)


@given(st.lists(st.floats(75, 94.99), max_size=30))
def test_a_share_that_wavers_about_the_warning_warns_once(readings: list[float]) -> None:
    state, states = OK, []
    for percent in readings:
        state = judge(Known(state, None, [level(percent)], 3), NOON, LIMITS).state
        states.append(state)
    assert sum(one is not other for one, other in zip([OK, *states], states, strict=False)) <= 1


LEVELS = st.builds(lambda dim, limit, left, wait: Level(dim, limit, min(limit, left), NOON + timedelta(seconds=wait)),
                   st.sampled_from(["requests", "tokens", "month"]), st.integers(0, 1000), st.integers(0, 1000),
                   st.integers(-100, 100))  # fmt: skip
WAITS = st.none() | st.integers(-100, 100).map(lambda s: NOON + timedelta(seconds=s))


@given(st.sampled_from(State), WAITS, st.lists(LEVELS, max_size=4), st.none() | st.integers(0, 9))
def test_whatever_is_known_there_is_a_state_that_fits_it(
    before: State, held: datetime | None, levels: list[Level], good: int | None
) -> None:
    judged = judge(Known(before, held, levels, good), NOON, LIMITS)
    live = [used(level) for level in levels if level.reset_at > NOON]
    assert judged.usage == (max(live) if live else None)
    assert judged.usage is None or 0 <= judged.usage <= 1
    if judged.state is BLOCKED:
        assert judged.held_until is not None
        assert judged.held_until > NOON
    assert (judged.state is BLOCKED) or not any(share >= 1 for share in live)
    again = judge(Known(judged.state, judged.held_until, levels, good), NOON, LIMITS)
    assert again == judged or (judged.state is FAILOVER and again.state is FAILOVER)  # looking twice changes nothing


def test_a_share_is_never_rounded_up_to_full() -> None:
    assert after(OK, Level("tokens", 10**6, 1, SOON)).usage_4 == Decimal("0.9999")


def test_thresholds_in_the_wrong_order_are_told() -> None:
    with pytest.raises(ValidationError, match="each must be larger"):
        LimitSettings(warn=Decimal("0.96"))
