"""The pace of calls: never above the rate, never below it for long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.jewellery.token_bucket import TokenBucket


@given(
    st.floats(0.1, 1000), st.floats(1, 50), st.lists(st.floats(0, 10), min_size=1, max_size=60), st.floats(-100, 100)
)
def test_no_span_of_time_has_more_calls_than_burst_and_rate_allow(
    rate: float, burst: float, gaps: list[float], start: float
) -> None:
    bucket = TokenBucket(rate, burst)
    now, made = start, []
    for gap in gaps:
        now += gap / rate
        made.append(now + bucket.take(now))
    made.sort()
    for i, first in enumerate(made):
        for count, last in enumerate(made[i:], 1):
            assert count <= burst + rate * (last - first) + 1e-6


def test_calls_without_pause_come_at_the_rate() -> None:
    bucket = TokenBucket(5)
    assert [bucket.take(0.0) for _ in range(4)] == pytest.approx([0, 0.2, 0.4, 0.6])


def test_a_clock_that_is_set_back_grants_nothing() -> None:
    bucket = TokenBucket(1)
    assert bucket.take(100.0) == 0
    assert bucket.take(50.0) == pytest.approx(1)
