"""A failure is followed by a later try or by giving up, never by both and never by neither."""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.retry import GiveUp, Priority, Retry, RetryPolicy, decide

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
SEEDS = st.floats(0, 1, exclude_max=True)


@st.composite
def policies(draw: st.DrawFn) -> RetryPolicy:
    delays = st.timedeltas(dt.timedelta(0), dt.timedelta(days=30))
    return RetryPolicy(draw(st.integers(0, 200)), draw(delays), draw(delays), draw(st.floats(0, 1)))


def wait(policy: RetryPolicy, failures: int, seed: float = 0.5) -> dt.timedelta:
    decision = decide(policy, failures, now=NOW, jitter_seed=seed)
    assert isinstance(decision, Retry)
    return decision.at - NOW


def test_priorities_are_ordered_and_know_their_retries() -> None:
    assert [p.name for p in sorted(Priority)] == ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
    assert [(p.value, p.retries) for p in Priority] == [(0, 3), (1, 2), (2, 2), (3, 1)]


def test_delays_double_up_to_the_cap() -> None:
    policy = RetryPolicy(10)
    assert [wait(policy, n).total_seconds() for n in range(1, 10)] == [
        30, 60, 120, 240, 480, 960, 1920, 3600, 3600
    ]  # fmt: skip


def test_jitter_spreads_a_tenth_either_way_even_at_the_cap() -> None:
    policy = RetryPolicy(10)
    assert wait(policy, 1, 0.0).total_seconds() == pytest.approx(27)
    assert wait(policy, 1, 0.999_999).total_seconds() == pytest.approx(33, rel=1e-4)
    assert wait(policy, 10, 0.0) < dt.timedelta(hours=1) < wait(policy, 10, 0.9)


def test_a_job_without_retries_gives_up_at_once() -> None:
    assert decide(RetryPolicy(0), 1, now=NOW, jitter_seed=0.5) == GiveUp(1)


@given(policies(), st.integers(1, 300), SEEDS)
def test_there_are_as_many_tries_as_promised(policy: RetryPolicy, failures: int, seed: float) -> None:
    decision = decide(policy, failures, now=NOW, jitter_seed=seed)
    assert isinstance(decision, Retry if failures <= policy.retries else GiveUp)
    assert decision.failures == failures


@given(policies(), st.integers(1, 200), SEEDS)
def test_a_retry_is_never_early_and_never_far_beyond_the_cap(policy: RetryPolicy, failures: int, seed: float) -> None:
    decision = decide(policy, failures, now=NOW, jitter_seed=seed)
    if isinstance(decision, Retry):
        delay, rounding = policy.delay(failures), dt.timedelta(microseconds=1)
        assert decision.at >= NOW
        assert abs(decision.at - NOW - delay) <= delay * policy.jitter + rounding
        assert delay <= policy.cap


@given(policies())
def test_delays_never_shrink(policy: RetryPolicy) -> None:
    assert all(a <= b for a, b in pairwise(policy.delay(n) for n in range(1, 100)))


def test_a_decision_needs_a_failure_and_a_seed_in_range() -> None:
    for failures, seed in ((0, 0.5), (1, 1.0), (1, -0.1)):
        with pytest.raises(ValueError, match=r"failures|jitter_seed"):
            decide(RetryPolicy(3), failures, now=NOW, jitter_seed=seed)


def test_a_policy_of_nonsense_is_refused() -> None:
    hour = dt.timedelta(hours=1)
    for nonsense in (
        (-1, hour, hour, 0.1),
        (1, -hour, hour, 0.1),
        (1, hour, -hour, 0.1),
        (1, hour, hour, 1.5),
    ):
        with pytest.raises(ValueError, match=r"must"):
            RetryPolicy(*nonsense)
