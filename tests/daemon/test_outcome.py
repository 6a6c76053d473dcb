"""How a try ended, and what the ledger keeps of it: one decision, and only the body's own failures are charged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import OnDemand, Priority
from daemon.job import Job
from daemon.ledger import Claimed
from daemon.outcome import Ending, Outcome, policy_of, to_finish
from tests.daemon.harness import a_job

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CHARGED = {Ending.FAILED, Ending.TIMED_OUT}


async def _nothing(_: object) -> None: ...


def made(**options: Any) -> Job:
    return a_job(_nothing, OnDemand(), "t.me", **options)


def claimed(**values: Any) -> Claimed:
    return Claimed(id=1, job="t.me", due_at=NOW, logical_date=NOW.date(), token=5, started_at=NOW, **values)


def finish(outcome: Outcome, *, moved: bool = False, job: Job | None = None, **values: Any) -> Any:
    return to_finish(claimed(**values), job or made(), outcome, now=NOW, moved=moved)


def test_success_keeps_its_result_and_leaves_no_attempt_row() -> None:
    end = finish(Outcome(Ending.SUCCEEDED, result={"paid": 3}), failures=1)
    assert (end.state, end.result, end.outcome, end.failures) == ("succeeded", '{"paid":3}', None, 1)


@pytest.mark.parametrize("ending", list(Ending))
def test_what_is_recorded_already_is_not_written_again(ending: Ending) -> None:
    assert finish(Outcome(ending, recorded=True)) is None


def test_a_run_that_is_somebody_elses_is_not_touched() -> None:
    assert finish(Outcome(Ending.FENCED)) is None


@pytest.mark.parametrize("ending", [Ending.INTERRUPTED, Ending.DATABASE_LOST])
def test_a_stop_of_ours_costs_nothing_and_the_run_is_available_at_once(ending: Ending) -> None:
    end = finish(Outcome(ending, reason="stopped by SIGTERM"), failures=2)
    assert (end.state, end.failures, end.retry_in, end.reason) == ("ready", 2, 0.0, "stopped by SIGTERM")


def test_a_cancelled_run_stays_cancelled_and_says_by_whom() -> None:
    end = finish(Outcome(Ending.CANCELLED, reason="cancelled by asha"))
    assert (end.state, end.reason, end.outcome) == ("cancelled", "cancelled by asha", "cancelled")


@pytest.mark.parametrize("ending", sorted(CHARGED))
@pytest.mark.parametrize(("failures", "state"), [(0, "ready"), (1, "ready"), (2, "failed"), (9, "failed")])
def test_a_failure_is_retried_until_no_tries_are_left(ending: Ending, failures: int, state: str) -> None:
    end = finish(Outcome(ending, error="E", traceback="T"), failures=failures, job=made(retries=2))
    assert (end.state, end.failures, end.error, end.traceback) == (state, failures + 1, "E", "T")
    assert end.outcome == str(ending)
    assert (end.retry_in > 0) == (state == "ready")


def test_a_moved_cursor_forgives_earlier_failures() -> None:
    end = finish(Outcome(Ending.FAILED, error="E"), failures=2, moved=True, job=made(retries=2))
    assert (end.state, end.failures) == ("ready", 1)


@pytest.mark.parametrize(
    ("ending", "state", "failures"),
    [
        (Ending.SUCCEEDED, "succeeded", 0), (Ending.FAILED, "failed", 1), (Ending.TIMED_OUT, "failed", 1),
        (Ending.CANCELLED, "cancelled", 0), (Ending.INTERRUPTED, "cancelled", 0),
        (Ending.DATABASE_LOST, "cancelled", 0),
    ],
)  # fmt: skip
def test_a_poll_is_never_retried_because_the_next_one_looks_at_the_same_queue(
    ending: Ending, state: str, failures: int
) -> None:
    end = finish(Outcome(ending, reason="why"), trigger="poll")
    assert (end.state, end.failures, end.retry_in) == (state, failures, 0.0)
    assert end.state != "cancelled" or "the queue keeps its items" in end.reason


@pytest.mark.parametrize(("priority", "retries"), [("CRITICAL", 3), ("HIGH", 2), ("MEDIUM", 2), ("LOW", 1)])
def test_retries_are_the_priorities_unless_the_job_says(priority: str, retries: int) -> None:
    assert policy_of(made(priority=Priority[priority])).retries == retries
    assert policy_of(made(priority=Priority[priority], retries=7)).retries == 7
    assert policy_of(made(retry_delay=timedelta(seconds=3))).base == timedelta(seconds=3)


outcomes = st.builds(
    Outcome, st.sampled_from(Ending), error=st.none() | st.text(), reason=st.none() | st.text(), recorded=st.booleans()
)


@given(outcomes, st.integers(0, 10), st.integers(0, 5), st.booleans(), st.sampled_from(["schedule", "manual", "poll"]))
def test_there_is_one_decision_and_only_the_bodys_own_failures_cost(
    outcome: Outcome, failures: int, retries: int, moved: bool, trigger: str
) -> None:
    end = finish(outcome, moved=moved, failures=failures, trigger=trigger, job=made(retries=retries))
    if end is None:
        assert outcome.recorded or outcome.ending is Ending.FENCED
        return
    before = 0 if moved else failures
    assert (end.id, end.token) == (1, 5)
    assert end.failures == before + (outcome.ending in CHARGED)
    assert end.state in {"succeeded", "failed", "ready", "cancelled", "held"}
    assert (end.state == "succeeded") == (outcome.ending is Ending.SUCCEEDED)
    assert (end.state == "held") == (outcome.ending is Ending.HELD and trigger != "poll")
    assert end.reason or end.state not in ("cancelled", "held")
    assert not (end.state == "ready" and trigger == "poll")
    assert (end.retry_in > 0) == (end.state == "ready" and outcome.ending in CHARGED)
