"""Runs that wait for others, on a real node: promoted, skipped with the reason, revived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg

from daemon import Context, OnDemand
from daemon.events import InstantsSettled, RunEnded, ServiceFailed
from daemon.job import Job
from tests.daemon.asking import ask, the_run
from tests.daemon.harness import Node, a_job, node

NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.date()
FIRST = "t.first"


async def nothing(_: Context) -> None:
    """Do nothing."""


async def broken(_: Context) -> None:
    raise RuntimeError("broken")


def second(**options: object) -> Job:
    return a_job(nothing, OnDemand(), "t.second", **(options or {"requires": (FIRST,)}))


async def waits(connection: asyncpg.Connection, **columns: object) -> int:
    columns = {"due_at": NOW, "day": TODAY, "state": "waiting", "trigger": "schedule", **columns}
    return await ask(connection, "t.second", **columns)  # type: ignore[arg-type]


async def state_of(connection: asyncpg.Connection, run: int) -> tuple[str, str | None]:
    found = await the_run(connection, run)
    return found["state"], found["reason"]


async def passed(n: Node) -> None:
    await n.engine.dispatcher.step()


async def test_a_run_waits_and_starts_when_what_it_requires_has_succeeded(
    url: str, connection: asyncpg.Connection
) -> None:
    async with node(url, a_job(nothing, OnDemand(), FIRST), second()) as n:
        run = await waits(connection)
        await passed(n)
        assert await state_of(connection, run) == ("waiting", None)
        await ask(connection, FIRST, day=TODAY)
        await n.event(RunEnded, lambda e: e.run == run and e.outcome == "succeeded")


async def test_a_failed_requirement_skips_with_the_reason_and_its_later_success_revives(
    url: str, connection: asyncpg.Connection
) -> None:
    async with node(url, a_job(broken, OnDemand(), FIRST, retries=0), second()) as n:
        run, first = await waits(connection), await ask(connection, FIRST, day=TODAY)
        settled = await n.event(InstantsSettled)
        assert (settled.job, settled.state) == ("t.second", "skipped")
        assert await state_of(connection, run) == ("skipped", f"dependency {FIRST} failed (run {first})")
        await passed(n)
        assert len([e for e in n.events if isinstance(e, InstantsSettled)]) == 1
        await connection.execute("UPDATE sexton.run SET state = 'succeeded' WHERE id = $1", first)
        n.engine.wake("dispatcher")
        await n.event(RunEnded, lambda e: e.run == run and e.outcome == "succeeded")


async def test_what_comes_only_after_another_runs_although_that_failed(
    url: str, connection: asyncpg.Connection
) -> None:
    async with node(url, a_job(broken, OnDemand(), FIRST, retries=0), second(after=(FIRST,))) as n:
        run = await waits(connection)
        await ask(connection, FIRST, day=TODAY)
        await n.event(RunEnded, lambda e: e.run == run and e.outcome == "succeeded")


async def test_a_dependency_that_was_coalesced_away_counts_as_its_heir(
    url: str, connection: asyncpg.Connection
) -> None:
    async with node(url, a_job(nothing, OnDemand(), FIRST), second()) as n:
        heir = await ask(
            connection,
            FIRST,
            due_at=NOW + timedelta(minutes=1),
            day=TODAY + timedelta(days=1),
            state="held",
            reason="x",
        )
        await ask(connection, FIRST, due_at=NOW, day=TODAY, state="skipped", reason=f"coalesced into run {heir}")
        run = await waits(connection)
        await passed(n)
        assert await state_of(connection, run) == ("waiting", None)
        await connection.execute("UPDATE sexton.run SET state = 'succeeded', reason = NULL WHERE id = $1", heir)
        n.engine.wake("dispatcher")
        await n.event(RunEnded, lambda e: e.run == run and e.outcome == "succeeded")


async def test_a_date_within_a_span_of_missed_instants_is_answered_by_the_span(
    url: str, connection: asyncpg.Connection
) -> None:
    async with node(url, a_job(nothing, OnDemand(), FIRST), second()) as n:
        span = await ask(
            connection, FIRST, due_at=NOW - timedelta(days=3), day=TODAY - timedelta(days=3), state="missed",
            reason="too late", due_until=NOW, logical_until=TODAY, count=4,
        )  # fmt: skip
        run = await waits(connection)
        await n.event(InstantsSettled)
        assert await state_of(connection, run) == ("skipped", f"dependency {FIRST} missed (run {span})")


async def test_success_for_another_date_does_not_count(url: str, connection: asyncpg.Connection) -> None:
    async with node(url, a_job(nothing, OnDemand(), FIRST), second()) as n:
        run = await waits(connection)
        await ask(connection, FIRST, day=TODAY - timedelta(days=1))
        await n.event(RunEnded)
        await passed(n)
        assert await state_of(connection, run) == ("waiting", None)


async def test_patience_ends_and_a_dependency_that_comes_even_later_revives(
    url: str, connection: asyncpg.Connection
) -> None:
    job = second(requires=(FIRST,), dependency_timeout=timedelta(minutes=1))
    async with node(url, a_job(nothing, OnDemand(), FIRST), job) as n:
        run = await waits(connection, due_at=NOW - timedelta(minutes=2))
        await n.event(InstantsSettled)
        assert await state_of(connection, run) == ("skipped", f"dependency {FIRST} did not run for {TODAY}")
        await ask(connection, FIRST, day=TODAY)
        await n.event(RunEnded, lambda e: e.run == run)


async def test_a_run_made_up_for_by_hand_is_not_revived_and_stops_nobody_else(
    url: str, connection: asyncpg.Connection
) -> None:
    jobs = [a_job(nothing, OnDemand(), FIRST), second(), a_job(nothing, OnDemand(), "t.other")]
    async with node(url, *jobs) as n:
        run = await waits(connection, state="skipped", reason=f"dependency {FIRST} failed (run 1)", daily=True)
        by_hand = await ask(
            connection, "t.second", due_at=NOW + timedelta(seconds=1), day=TODAY, state="succeeded", daily=True
        )
        await ask(connection, FIRST, day=TODAY)
        await n.event(RunEnded, lambda e: e.job == FIRST)
        await passed(n)
        await ask(connection, "t.other")
        await n.event(RunEnded, lambda e: e.job == "t.other")
        assert not [e for e in n.events if isinstance(e, ServiceFailed)]
    assert (await state_of(connection, run))[0] == "skipped"
    assert (await state_of(connection, by_hand))[0] == "succeeded"
