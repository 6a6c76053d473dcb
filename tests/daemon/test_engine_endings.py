"""Bodies that do not end as they should: they idle in a transaction, or do not listen when told to stop."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from daemon import Context, Every, OnDemand, leash, poll, seconds
from daemon.active_run import ActiveRun
from daemon.events import RunEnded, RunForsaken, RunStarted
from daemon.outcome import Ending, Outcome
from tests.daemon.asking import ask, the_run
from tests.daemon.harness import a_job, node, rows

STOPPED = Outcome(Ending.CANCELLED, reason="cancelled by asha")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leash, "USUAL", leash.Patience(0.1, 0.1, 0.3))


class Stubborn:
    """A body that swallows every cancellation until it is let go."""

    def __init__(self) -> None:
        self.told = 0
        self.free = asyncio.Event()

    async def __call__(self, _: Context) -> None:
        while not self.free.is_set():
            try:
                await self.free.wait()
            except asyncio.CancelledError:
                self.told += 1


@pytest.mark.parametrize("how", ["completing", "snapshot"])
async def test_idling_in_a_transaction_for_a_whole_lease_is_the_bodys_failure(url: str, how: str) -> None:
    async def body(ctx: Context) -> None:
        async with getattr(ctx, how)():
            await asyncio.sleep(1.2)  # the server ends the transaction after the lease

    async with node(url, a_job(body, Every(0.2), retries=0), lease=0.5) as n:
        ended = await n.event(RunEnded)
    assert ended.outcome == "failed"
    assert "TransactionIdled: no statement for 1.2 s" in (ended.error or "")


@pytest.mark.usefixtures("impatient")
async def test_a_body_that_does_not_heed_its_timeout_loses_its_slot_and_its_run(
    url: str, connection: asyncpg.Connection
) -> None:
    body = Stubborn()
    job = a_job(body, OnDemand(), "test.job", timeout=timedelta(seconds=0.2), retries=0)
    async with node(url, job, slots=1) as n:
        run = await ask(connection, "test.job")
        left = await n.event(RunForsaken)
        ended = await n.event(RunEnded)
        assert (ended.outcome, ended.error) == ("timed out", "timed out after 0.2 s")
        assert "self.free.wait()" in left.stack
        assert body.told >= 3
        assert (await the_run(connection, run))["state"] == "failed"
        second = await ask(connection, "test.job")  # the slot is free
        await n.event(RunStarted, lambda e: e.run == second)
        body.free.set()
        await n.event(RunEnded, lambda e: e.run == second)
    assert (await the_run(connection, run))["state"] == "failed"  # its late return changes nothing


@pytest.mark.usefixtures("impatient")
async def test_a_body_that_does_not_heed_its_cancellation_is_cancelled_all_the_same(
    url: str, connection: asyncpg.Connection
) -> None:
    body = Stubborn()
    async with node(url, a_job(body, OnDemand(), "test.job")) as n:
        run = await ask(connection, "test.job")
        await n.event(RunStarted)
        n.engine.executor.active[run].interrupt(STOPPED)
        assert (await n.event(RunEnded)).outcome == "cancelled"
        assert (await the_run(connection, run))["reason"] == "cancelled by asha"
        body.free.set()


async def test_whoever_is_told_again_with_less_patience_is_given_up_sooner(
    url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leash, "USUAL", leash.Patience(3600.0, 3600.0, 3600.0))
    body = Stubborn()
    async with node(url, a_job(body, OnDemand(), "test.job")) as n:
        run = await ask(connection, "test.job")
        await n.event(RunStarted)
        told = n.engine.executor.active[run]
        told.interrupt(STOPPED)
        told.interrupt(Outcome(Ending.CANCELLED, reason="emergency stop by ann"), leash.Patience(0.1, 0.1, 0.3))
        told.interrupt(STOPPED)  # which does not put it off
        await n.event(RunForsaken)
        assert (await n.event(RunEnded)).error == "cancelled by asha"
        body.free.set()


@pytest.mark.usefixtures("impatient")
async def test_a_stubborn_poll_fails_and_is_begun_again(url: str, connection: asyncpg.Connection) -> None:
    body = Stubborn()
    job = a_job(body, poll(seconds(0.2))(body).trigger, "test.watch", timeout=timedelta(seconds=0.2))
    async with node(url, job) as n:
        await n.event(RunForsaken, count=2)
        await n.event(RunEnded, count=2)
        body.free.set()
    found = await rows(connection, "SELECT state, error FROM sexton.run ORDER BY id")
    assert [(r["state"], r["error"]) for r in found[:2]] == [("failed", "timed out after 0.2 s")] * 2


async def test_a_body_may_clean_up_before_it_ends(url: str, connection: asyncpg.Connection) -> None:
    cleaned = asyncio.Event()

    async def body(_: Context) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.2)  # not disturbed again
            cleaned.set()

    async with node(url, a_job(body, OnDemand(), "test.job", timeout=timedelta(seconds=0.1), retries=0)) as n:
        await ask(connection, "test.job")
        ended = await n.event(RunEnded)
    assert cleaned.is_set()
    assert ended.outcome == "timed out"


async def test_a_run_that_is_stopped_before_its_body_begins_never_begins(
    url: str, connection: asyncpg.Connection
) -> None:
    begun = asyncio.Event()

    async def body(_: Context) -> None:
        begun.set()

    job = a_job(body, OnDemand(), "test.job")
    async with node(url, job) as n:
        claimed = []
        n.engine.executor.active.clear()
        start = n.engine.executor.start

        def stopped_at_once(runs: list[object]) -> None:
            start(runs)  # type: ignore[arg-type]
            for run in list(n.engine.executor.active.values()):
                claimed.append(run)
                run.interrupt(STOPPED)

        n.engine.dispatcher.start = stopped_at_once  # type: ignore[assignment]
        await ask(connection, "test.job")
        assert (await n.event(RunEnded)).outcome == "cancelled"
    assert isinstance(claimed[0], ActiveRun)
    assert not begun.is_set()
