"""Every instant ends in exactly one row, whatever the policy and whatever happened."""

import datetime as dt
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.catchup import CatchUp, Gap, PlannedRun, State, plan, still_worth_running
from daemon.schedule import Instant

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def hourly(n: int, *, newest: dt.datetime = NOON) -> list[Instant]:
    return [Instant(newest - HOUR * back) for back in reversed(range(n))]


def planned(instants: list[Instant], policy: CatchUp, **changes: Any) -> list[PlannedRun]:
    usual: dict[str, Any] = {
        "now": NOON,
        "max_lateness": None,
        "paused_by": None,
        "distrust": None,
        "outstanding": 0,
        "initial": "ready",
    }
    return plan(instants, policy, **(usual | changes))


def brief(rows: list[PlannedRun]) -> list[tuple[int, str, str | None]]:
    return [(row.count, row.state, row.reason) for row in rows]


def test_nothing_due_is_nothing_planned() -> None:
    for policy in (CatchUp.NONE, CatchUp.LATEST, CatchUp.EACH(3)):
        assert planned([], policy, paused_by="anna") == []


def test_one_instant_in_time_is_ready_or_waits_for_its_dependency() -> None:
    for policy in (CatchUp.NONE, CatchUp.LATEST, CatchUp.EACH(3)):
        assert planned(hourly(1), policy) == [PlannedRun(NOON, None, 1, "ready", None)]
        assert brief(planned(hourly(1), policy, initial="waiting")) == [(1, "waiting", None)]


def test_none_misses_all_but_the_newest() -> None:
    rows = planned(hourly(4), CatchUp.NONE)
    assert brief(rows) == [
        (3, "missed", "too late: the run due at 2026-06-01 12:00:00 UTC is newer"),
        (1, "ready", None),
    ]
    assert (rows[0].due_at, rows[0].due_until) == (NOON - 3 * HOUR, NOON - HOUR)


def test_none_misses_the_newest_too_beyond_its_lateness() -> None:
    for late, reason in ((60, None), (61, "too late")):
        rows = planned(hourly(1), CatchUp.NONE, now=NOON + dt.timedelta(seconds=late))
        assert [row.reason for row in rows] == [reason]
    rows = planned(hourly(4), CatchUp.NONE, now=NOON + HOUR)
    assert brief(rows) == [(4, "missed", "too late")]
    assert rows[0].due_until == NOON


def test_latest_coalesces_into_the_newest() -> None:
    rows = planned(hourly(4), CatchUp.LATEST, now=NOON + 100 * HOUR)
    assert brief(rows) == [
        (3, "skipped", "coalesced into the run due at 2026-06-01 12:00:00 UTC"),
        (1, "ready", None),
    ]
    assert (rows[0].due_at, rows[0].due_until) == (NOON - 3 * HOUR, NOON - HOUR)


def test_latest_misses_the_newest_beyond_max_lateness() -> None:
    rows = planned(hourly(2), CatchUp.LATEST, now=NOON + 7 * HOUR, max_lateness=6 * HOUR)
    assert [(row.state, row.due_until) for row in rows] == [("skipped", None), ("missed", None)]
    assert rows[1].reason == "too late"


def test_each_gets_a_row_of_its_own_in_order_however_late() -> None:
    rows = planned(hourly(4), CatchUp.EACH(4), now=NOON + 1000 * HOUR, max_lateness=HOUR)
    assert [row.due_at for row in rows] == [i.at for i in hourly(4)]
    assert brief(rows) == [(1, "ready", None)] * 4


def test_each_beyond_its_limit_holds_the_whole_backlog() -> None:
    assert brief(planned(hourly(4), CatchUp.EACH(3))) == [(1, "held", "backlog of 4 exceeds the limit of 3")] * 4
    assert brief(planned(hourly(2), CatchUp.EACH(3), outstanding=1)) == [(1, "ready", None)] * 2
    assert (
        brief(planned(hourly(2), CatchUp.EACH(3), outstanding=2))
        == [(1, "held", "backlog of 4 exceeds the limit of 3")] * 2
    )


def test_a_clock_that_leapt_holds_money_and_nothing_else() -> None:
    assert (
        brief(planned(hourly(2), CatchUp.EACH(31), distrust="clock leapt by 3 h"))
        == [(1, "held", "clock leapt by 3 h")] * 2
    )
    for policy in (CatchUp.NONE, CatchUp.LATEST):
        assert planned(hourly(2), policy, distrust="clock leapt") == planned(hourly(2), policy)


def test_a_pause_holds_each_and_skips_the_others() -> None:
    assert brief(planned(hourly(2), CatchUp.EACH(31), paused_by="anna")) == [(1, "held", "paused by anna")] * 2
    for policy in (CatchUp.NONE, CatchUp.LATEST):
        assert brief(planned(hourly(3), policy, paused_by="anna")) == [(3, "skipped", "paused by anna")]


def test_the_note_of_an_instant_stays_with_its_own_row() -> None:
    noted = [Instant(NOON, "01:30 happens twice; runs at the first, EDT")]
    assert [row.note for row in planned([*hourly(1, newest=NOON - HOUR), *noted], CatchUp.LATEST)] == [
        None,
        noted[0].note,
    ]


def test_worth_running_is_the_same_question_at_claim_time() -> None:
    late = NOON + 2 * HOUR
    assert still_worth_running(NOON, late, CatchUp.EACH(1), HOUR)
    assert still_worth_running(NOON, late, CatchUp.LATEST, None)
    assert still_worth_running(NOON, late, CatchUp.LATEST, 2 * HOUR)
    assert not still_worth_running(NOON, late, CatchUp.LATEST, HOUR)
    assert not still_worth_running(NOON, late, CatchUp.NONE, None)
    assert still_worth_running(NOON, late, CatchUp.NONE, 2 * HOUR)
    assert still_worth_running(NOON, NOON - HOUR, CatchUp.NONE, None)


POLICIES = st.sampled_from([CatchUp.NONE, CatchUp.LATEST]) | st.integers(1, 40).map(CatchUp.EACH)


@given(
    gaps=st.lists(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=400)), max_size=40),
    policy=POLICIES,
    lateness=st.timedeltas(dt.timedelta(0), dt.timedelta(days=2)),
    max_lateness=st.none() | st.timedeltas(dt.timedelta(0), dt.timedelta(days=2)),
    paused_by=st.none() | st.just("anna"),
    distrust=st.none() | st.just("clock leapt"),
    outstanding=st.integers(0, 40),
    initial=st.sampled_from(["ready", "waiting"]),
)
def test_every_instant_is_accounted_for_by_exactly_one_row(
    gaps: list[dt.timedelta], policy: CatchUp, lateness: dt.timedelta, **given_: Any
) -> None:
    at, due = NOON - dt.timedelta(days=20_000), []
    for gap in gaps:
        at += gap
        due.append(Instant(at))
    rows = plan(due, policy, now=at + lateness, **given_)
    assert sum(row.count for row in rows) == len(due)
    for instant in due:
        assert sum(row.due_at <= instant.at <= (row.due_until or row.due_at) for row in rows) == 1
    assert all((a.due_until or a.due_at) < b.due_at for a, b in pairwise(rows))
    for row in rows:
        assert row.count >= 1
        assert (row.due_until is None) == (row.count == 1)
        assert row.state in get_args(State)
        assert (row.reason is None) == (row.state == given_["initial"])
    if policy.is_each:
        assert len(rows) == len(due)
        assert len({row.state for row in rows}) <= 1
    else:
        assert len(rows) <= 2
        assert sum(row.state == given_["initial"] for row in rows) <= 1
        assert not any(row.state == "held" for row in rows)


@given(POLICIES)
def test_a_policy_is_parsed_from_what_it_prints(policy: CatchUp) -> None:
    assert CatchUp.parse(str(policy)) == policy


def test_a_policy_prints_as_the_configuration_writes_it() -> None:
    assert [str(p) for p in (CatchUp.NONE, CatchUp.LATEST, CatchUp.EACH(31))] == ["none", "latest", "each 31"]
    assert CatchUp.parse("  EACH  31 ") == CatchUp.EACH(31)


@pytest.mark.parametrize("text", ["", "each", "each 0", "each -1", "each many", "all", "latest 3"])
def test_a_policy_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="each"):
        CatchUp.parse(text)


RESTORED = "restored from backup 20260601T100000Z"


def test_what_was_due_before_a_restore_waits_for_a_person_under_every_policy() -> None:
    gap = Gap(NOON, RESTORED)
    assert brief(planned(hourly(2), CatchUp.EACH(4), gap=gap)) == [(1, "held", RESTORED)] * 2
    assert brief(planned(hourly(3), CatchUp.LATEST, gap=gap)) == [
        (2, "skipped", "coalesced into the run due at 2026-06-01 12:00:00 UTC"),
        (1, "held", RESTORED),
    ]
    assert brief(planned(hourly(1), CatchUp.NONE, gap=gap)) == [(1, "held", RESTORED)]
    assert brief(planned(hourly(1), CatchUp.NONE, gap=gap, now=NOON + HOUR)) == [(1, "missed", "too late")]


def test_what_is_due_after_a_restore_runs() -> None:
    gap = Gap(NOON - HOUR, RESTORED)
    assert brief(planned(hourly(3), CatchUp.EACH(4), gap=gap)) == [(1, "held", RESTORED)] * 2 + [(1, "ready", None)]
    assert brief(planned(hourly(3), CatchUp.LATEST, gap=gap))[-1] == (1, "ready", None)


def test_a_pause_says_more_than_a_restore() -> None:
    rows = planned(hourly(1), CatchUp.EACH(4), gap=Gap(NOON, RESTORED), paused_by="anna")
    assert brief(rows) == [(1, "held", "paused by anna")]
