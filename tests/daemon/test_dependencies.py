"""What becomes of a run that waits for others, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import Cron
from daemon.dependencies import PENDING, Outcome, Settlement, Waiting, judge
from tests.daemon.harness import a_job

DUE = datetime(2026, 3, 1, tzinfo=UTC)
DAY = DUE.date()
SOON, LATE = DUE + timedelta(hours=6), DUE + timedelta(hours=6, microseconds=1)
STATES = ["waiting", "held", "ready", "running", "succeeded", "failed", "skipped", "missed", "cancelled"]


async def _nothing(_: object) -> None: ...


def waiting(**options: Any) -> Waiting:
    return Waiting(7, a_job(_nothing, Cron("0 0 * * *"), "t.me", **options), DUE, DAY, "waiting")


def verdict(state: str | None, kind: str, now: datetime = SOON) -> tuple[str, str | None] | None:
    outcomes = {("t.a", DAY): Outcome(state, 3)} if state else {}
    found = judge(waiting(**{kind: ("t.a",)}), outcomes, now=now)
    return (found.state, found.reason) if found else None


@pytest.mark.parametrize(
    ("state", "requires", "after"),
    [
        (None, None, None),
        ("waiting", None, None),
        ("held", None, None),
        ("ready", None, None),
        ("running", None, None),
        ("succeeded", ("ready", None), ("ready", None)),
        ("failed", ("skipped", "dependency t.a failed (run 3)"), ("ready", None)),
        ("skipped", ("skipped", "dependency t.a skipped (run 3)"), ("ready", None)),
        ("missed", ("skipped", "dependency t.a missed (run 3)"), ("ready", None)),
        ("cancelled", ("skipped", "dependency t.a cancelled (run 3)"), ("ready", None)),
    ],
)
def test_requires_wants_success_and_after_wants_an_end(state: str | None, requires: object, after: object) -> None:
    assert verdict(state, "requires") == requires
    assert verdict(state, "after") == after


@pytest.mark.parametrize("kind", ["requires", "after"])
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (None, "dependency t.a did not run for 2026-03-01"),
        ("waiting", "dependency t.a is still waiting (run 3)"),
        ("held", "dependency t.a is still held (run 3)"),
        ("ready", None),
        ("running", None),
    ],
)
def test_patience_ends_at_the_timeout_unless_the_dependency_is_on_its_way(
    state: str | None, reason: str | None, kind: str
) -> None:
    assert verdict(state, kind, LATE) == (("skipped", reason) if reason else None)


def test_all_dependencies_must_have_spoken() -> None:
    job = waiting(requires=("t.a", "t.b"), after=("t.c",))
    done = {(n, DAY): Outcome("succeeded", i) for i, n in enumerate(("t.a", "t.b", "t.c"))}
    assert judge(job, done, now=SOON) == Settlement(7, "ready", None)
    for name in ("t.a", "t.b", "t.c"):
        assert judge(job, done | {(name, DAY): Outcome("running", 9)}, now=SOON) is None


def test_one_failed_requirement_decides_although_another_is_undecided() -> None:
    found = judge(waiting(requires=("t.a", "t.b")), {("t.b", DAY): Outcome("failed", 4)}, now=SOON)
    assert found == Settlement(7, "skipped", "dependency t.b failed (run 4)")


def test_success_on_another_date_does_not_count() -> None:
    assert (
        judge(waiting(requires=("t.a",)), {("t.a", DAY - timedelta(days=1)): Outcome("succeeded", 3)}, now=SOON) is None
    )


@given(
    st.dictionaries(st.sampled_from(["t.a", "t.b", "t.c"]), st.sampled_from(STATES)),
    st.sampled_from([SOON, LATE]),
    st.lists(st.sampled_from(["t.a", "t.b", "t.c"]), unique=True, min_size=1),
    st.lists(st.sampled_from(["t.a", "t.b", "t.c"]), unique=True),
)
def test_a_run_never_starts_before_everything_it_names_has_ended(
    states: dict[str, str], now: datetime, requires: list[str], after: list[str]
) -> None:
    outcomes = {(name, DAY): Outcome(state, 3) for name, state in states.items()}
    found = judge(waiting(requires=tuple(requires), after=tuple(after)), outcomes, now=now)
    ended = all(states.get(name, "waiting") not in PENDING for name in (*requires, *after))
    succeeded = all(states.get(name) == "succeeded" for name in requires)
    assert (found is not None and found.state == "ready") == (ended and succeeded)
    if found is not None and found.state != "ready":
        assert found.state == "skipped"
        assert (found.reason or "").startswith("dependency ")
