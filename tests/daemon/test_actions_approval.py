"""What a second person has to agree to: asked for, agreed to by somebody else, and only then done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest

from daemon import actions, actions_approval
from daemon.actions_deed import Actor, NeedsReason, NeedsSecond, Refused
from tests.daemon.actions_house import JOBS, MONEY, TICK, add_run, audit, run_of

ANN = Actor("ann", "cli", "rates were wrong", two_person=True)
BOB = Actor("bob", "api 10.0.0.7")
DUE = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)


async def asked_to_retry(connection: asyncpg.Connection, run: int) -> int:
    with pytest.raises(NeedsSecond) as wanted:
        await actions.retry_runs(connection, ANN, JOBS, [run])
    return await actions_approval.ask(connection, wanted.value)


async def test_nothing_happens_until_somebody_else_agrees(connection: asyncpg.Connection) -> None:
    run = await add_run(connection, MONEY, "failed")
    number = await asked_to_retry(connection, run)
    assert (await run_of(connection, run))["state"] == "failed"
    decided = await actions_approval.approve(connection, BOB, JOBS, number)
    assert (decided.approved, decided.runs) == (True, (run,))
    row = await run_of(connection, run)
    assert (row["state"], row["requested_by"]) == ("ready", "ann")


async def test_the_audit_has_both_names(connection: asyncpg.Connection) -> None:
    number = await asked_to_retry(connection, await add_run(connection, MONEY, "failed"))
    await actions_approval.approve(connection, BOB, JOBS, number)
    assert [(row["action"], row["who"], row["origin"], row["reason"]) for row in await audit(connection)] == [
        ("ask for approval", "ann", "cli", "rates were wrong"),
        ("approve", "bob", "api 10.0.0.7", None),
        ("retry", "ann", "cli", "rates were wrong (agreed by bob)"),
    ]


async def test_whoever_asked_cannot_agree_and_can_take_it_back(connection: asyncpg.Connection) -> None:
    run = await add_run(connection, MONEY, "failed")
    number = await asked_to_retry(connection, run)
    with pytest.raises(Refused, match="you asked for it"):
        await actions_approval.approve(connection, replace(ANN, origin="api 10.0.0.9"), JOBS, number)
    await actions_approval.refuse(connection, ANN, number)
    with pytest.raises(Refused, match=f"approval {number} was refused by ann"):
        await actions_approval.approve(connection, BOB, JOBS, number)
    assert (await run_of(connection, run))["state"] == "failed"


async def test_even_the_database_refuses_one_person_alone(connection: asyncpg.Connection) -> None:
    number = await asked_to_retry(connection, await add_run(connection, MONEY, "failed"))
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            "UPDATE sexton.approval SET decision = 'approved', decided_by = asked_by WHERE id = $1", number
        )


async def test_an_approval_is_good_for_a_day(connection: asyncpg.Connection) -> None:
    number = await asked_to_retry(connection, await add_run(connection, MONEY, "failed"))
    await connection.execute("UPDATE sexton.approval SET expires_at = sexton.clock()")
    with pytest.raises(Refused, match="has expired: ann may ask again"):
        await actions_approval.approve(connection, BOB, JOBS, number)


async def test_what_no_longer_makes_sense_is_not_done_and_not_decided(connection: asyncpg.Connection) -> None:
    run = await add_run(connection, MONEY, "failed")
    number = await asked_to_retry(connection, run)
    await connection.execute("UPDATE sexton.run SET state = 'succeeded' WHERE id = $1", run)
    with pytest.raises(Refused, match="has succeeded"):
        await actions_approval.approve(connection, BOB, JOBS, number)
    assert await connection.fetchval("SELECT decision FROM sexton.approval") is None


async def test_a_run_by_hand_keeps_what_it_was_asked_with(connection: asyncpg.Connection) -> None:
    with pytest.raises(NeedsSecond) as wanted:
        await actions.request_run(connection, ANN, MONEY, due_at=DUE, args={"only": [1, 2]})
    number = await actions_approval.ask(connection, wanted.value)
    (run,) = (await actions_approval.approve(connection, BOB, JOBS, number)).runs
    row = await run_of(connection, run)
    assert (row["due_at"], row["args"], row["requested_by"]) == (DUE, '{"only": [1, 2]}', "ann")


async def test_waiving_asks_too_and_other_jobs_do_not(connection: asyncpg.Connection) -> None:
    waived, loose = await add_run(connection, MONEY, "failed"), await add_run(connection, TICK, "failed")
    with pytest.raises(NeedsSecond) as wanted:
        await actions.waive_runs(connection, ANN, JOBS, [waived])
    number = await actions_approval.ask(connection, wanted.value)
    await actions_approval.approve(connection, BOB, JOBS, number)
    assert (await run_of(connection, waived))["waived_by"] == "ann"
    assert [c.state for c in await actions.retry_runs(connection, ANN, JOBS, [loose])] == ["ready"]


async def test_a_reason_is_asked_for_before_a_second_person(connection: asyncpg.Connection) -> None:
    run = await add_run(connection, MONEY, "failed")
    with pytest.raises(NeedsReason):
        await actions.retry_runs(connection, replace(ANN, reason=None), JOBS, [run])


async def test_an_approval_there_is_none_of(connection: asyncpg.Connection) -> None:
    with pytest.raises(Refused, match="there is no approval 7"):
        await actions_approval.refuse(connection, BOB, 7)
