"""Connections that heal, and one place that knows whether the database is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from daemon import ledger
from daemon.database import DatabaseDown, Link, Outage, connect, means_lost, watch_outage
from daemon.events import DatabaseBack, DatabaseLost, Event
from tests.daemon.asking import statement
from tests.daemon.cuttable import Wire, wire

ONE = statement("SELECT 1")


@asynccontextmanager
async def link(url: str, heard: list[Event] | None = None) -> AsyncIterator[tuple[Link, Outage]]:
    outage = Outage((heard if heard is not None else []).append)
    made = Link(lambda: url, lambda: "sexton test", outage)
    try:
        yield made, outage
    finally:
        await made.close()


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (ConnectionRefusedError(111, "refused"), True),
        (FileNotFoundError(2, "no socket"), True),
        (TimeoutError(), True),
        (EOFError(), True),
        (asyncpg.ConnectionDoesNotExistError("closed"), True),
        (asyncpg.CannotConnectNowError("starting up"), True),
        (asyncpg.AdminShutdownError("going down"), True),
        (asyncpg.CrashShutdownError("crashed"), True),
        (asyncpg.TooManyConnectionsError("full"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InterfaceError("cannot perform operation: another operation is in progress"), False),
        (asyncpg.UniqueViolationError("twice"), False),
        (asyncpg.UndefinedTableError("none"), False),
        (asyncpg.QueryCanceledError("timeout"), False),
        (asyncpg.InvalidPasswordError("wrong"), False),
        (ValueError("closed"), False),
        (asyncio.CancelledError(), False),
    ],
)
def test_a_lost_connection_is_told_from_a_wrong_statement(error: BaseException, lost: bool) -> None:
    assert means_lost(error) is lost


async def test_a_link_connects_when_needed_and_heals_when_lost(url: str, connection: asyncpg.Connection) -> None:
    heard: list[Event] = []
    async with link(url, heard) as (one, outage):
        assert await one.fetchval(ONE) == 1
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sexton test'"
        )
        with suppress(DatabaseDown):
            await one.fetchval(ONE)
        outage.ended()
        assert await one.fetchval(ONE) == 1


async def test_a_statement_lost_on_the_way_says_so_and_the_next_one_connects_anew(url: str) -> None:
    heard: list[Event] = []
    async with wire(url) as w, link(w.url, heard) as (one, outage):
        before = one.answered
        asked = asyncio.create_task(one.fetchval(statement("SELECT pg_sleep(60)")))
        await asyncio.sleep(0.1)
        await w.cut()
        with pytest.raises(DatabaseDown):
            await asked
        assert outage.known
        assert one.answered == before
        await w.mend()
        assert await one.fetchval(ONE) == 1
        assert one.answered > before
    assert [type(e) for e in heard] == [DatabaseLost]


async def test_a_wrong_statement_costs_no_connection(url: str) -> None:
    pid = statement("SELECT pg_backend_pid()")
    async with link(url) as (one, outage):
        first = await one.fetchval(pid)
        with pytest.raises(asyncpg.UndefinedTableError):
            await one.fetch(statement("SELECT * FROM no_such_table"))
        assert not outage.known
        assert await one.fetchval(pid) == first


async def test_a_cancelled_statement_leaves_a_link_that_works(url: str) -> None:
    async with link(url) as (one, outage):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await one.fetchval(statement("SELECT pg_sleep(60)"))
        assert not outage.known
        assert await one.fetchval(ONE) == 1


async def test_statements_of_one_link_run_one_at_a_time(url: str) -> None:
    async with link(url) as (one, _):
        assert await asyncio.gather(*(one.fetchval(statement("SELECT $1::int"), n) for n in range(20))) == [*range(20)]


async def test_an_outage_is_announced_once_and_its_end_once(url: str) -> None:
    heard: list[Event] = []
    outage = Outage(heard.append)
    await outage.over()
    for _ in range(3):
        outage.began(ConnectionRefusedError(111, "refused"))
    outage.began(TimeoutError())
    assert outage.error == "TimeoutError"
    outage.ended()
    outage.ended()
    assert [type(e) for e in heard] == [DatabaseLost, DatabaseBack]
    assert isinstance(heard[0], DatabaseLost)
    assert heard[0].error == "ConnectionRefusedError: [Errno 111] refused"


async def test_whoever_waits_goes_on_within_a_second_of_the_databases_return(url: str) -> None:
    async with wire(url) as w, link(w.url) as (one, outage):
        watching = asyncio.create_task(watch_outage(one, outage, ledger.CLOCK))
        for _ in range(2):
            await went_and_came_back(w, one, outage)
        watching.cancel()


async def went_and_came_back(w: Wire, one: Link, outage: Outage) -> None:
    await one.fetchval(ONE)
    await w.cut()
    with pytest.raises(DatabaseDown):
        await one.fetchval(ONE)
    await outage.begins()
    await asyncio.sleep(0.3)
    await w.mend()
    async with asyncio.timeout(60):
        await outage.over()


async def test_a_connection_is_named_for_whoever_looks_at_the_servers_sessions(url: str) -> None:
    opened = await connect(url, "sexton job 123", work_mem="5MB")
    assert await opened.fetchval("SELECT current_setting('application_name')") == "sexton job 123"
    assert await opened.fetchval("SELECT current_setting('work_mem')") == "5MB"
    await opened.close()
