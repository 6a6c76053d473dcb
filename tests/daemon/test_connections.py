"""Connections of job bodies: what ends a block ends its transaction, and a frozen holder cannot block its successor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import asyncpg
import pytest

from daemon.connections import JobConnections, Session, rolled_back_on_error
from daemon.database import DatabaseDown, Outage
from daemon.events import DatabaseLost, Event
from tests.daemon.asking import statement
from tests.daemon.cuttable import wire

INSERT, COUNT = statement("INSERT INTO cup VALUES (1)"), "SELECT count(*) FROM cup"


@asynccontextmanager
async def connections(
    url: str, *, size: int = 5, lease: float = 30, heard: list[Event] | None = None
) -> AsyncIterator[JobConnections]:
    outage = Outage((heard if heard is not None else []).append)
    pool = JobConnections(lambda: url, lambda: "sexton job test", outage, size=size, lease=lease)
    try:
        yield pool
    finally:
        await pool.close()


@pytest.fixture
async def cup(connection: asyncpg.Connection) -> asyncpg.Connection:
    await connection.execute("CREATE TABLE cup (n int)")
    return connection


async def test_the_first_users_of_a_new_pool_may_come_all_at_once(url: str) -> None:
    async with connections(url, size=3) as pool:

        async def use() -> int:
            async with pool.one() as one:
                return int(await one.fetchval("SELECT 1"))

        assert await asyncio.gather(*(use() for _ in range(12))) == [1] * 12


async def test_an_error_in_the_block_rolls_back_and_the_connection_can_be_used_again(
    url: str, cup: asyncpg.Connection
) -> None:
    async with connections(url, size=1) as pool:

        async def begin(wrong: str) -> None:
            async with pool.one() as one, rolled_back_on_error(one):
                await one.execute("BEGIN; INSERT INTO cup VALUES (1)")
                if wrong == "raise":
                    raise ValueError
                await one.execute("SELECT * FROM no_such_table")

        for wrong in ("raise", "sql"):
            with pytest.raises((ValueError, asyncpg.UndefinedTableError)):
                await begin(wrong)
        async with pool.one() as one:
            assert not one.is_in_transaction()
    assert await cup.fetchval(COUNT) == 0


@pytest.mark.parametrize("at", ["a statement", "an await"])
async def test_a_cancelled_block_is_rolled_back_on_the_server_before_it_is_left(
    url: str, cup: asyncpg.Connection, at: str
) -> None:
    async with connections(url, size=1) as pool:
        with anyio.move_on_after(0.1):
            async with pool.one() as one, rolled_back_on_error(one):
                await one.execute("BEGIN; INSERT INTO cup VALUES (1)")
                await (one.execute("SELECT pg_sleep(60)") if at == "a statement" else asyncio.sleep(60))
        busy = await cup.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sexton job test' AND state <> 'idle'"
        )
        assert (busy, await cup.fetchval(COUNT)) == (0, 0)
        async with pool.one() as one:
            assert await one.fetchval("SELECT 1") == 1


async def test_a_lost_connection_is_a_lost_database_and_hides_behind_no_other_error(
    url: str, cup: asyncpg.Connection
) -> None:
    heard: list[Event] = []
    async with wire(url) as w, connections(w.url, heard=heard) as pool:

        async def lose() -> None:
            async with pool.one() as one, rolled_back_on_error(one):
                await one.execute("BEGIN")
                await w.cut()
                await Session(one, pool._outage).execute(INSERT)

        for _ in range(2):  # the second finds nobody to connect to
            with pytest.raises(DatabaseDown):
                await lose()
    assert len(heard) == 1
    assert isinstance(heard[0], DatabaseLost)


async def test_a_wrong_statement_is_the_bodys_error_and_no_lost_database(url: str) -> None:
    heard: list[Event] = []
    async with connections(url, heard=heard) as pool, pool.one() as one:
        with pytest.raises(asyncpg.UndefinedTableError):
            await Session(one, pool._outage).fetch(statement("SELECT * FROM no_such_table"))
    assert heard == []


async def test_a_frozen_holders_locks_are_freed_within_the_lease(url: str, cup: asyncpg.Connection) -> None:
    await cup.execute("INSERT INTO cup VALUES (1)")
    async with connections(url, lease=0.4) as pool:

        async def freeze() -> None:
            async with pool.one() as one, rolled_back_on_error(one):
                began = asyncio.get_running_loop().time()
                await one.execute("BEGIN; UPDATE cup SET n = 2")
                await cup.execute("UPDATE cup SET n = 3")  # waits for the frozen one's lock
                assert 0.4 <= asyncio.get_running_loop().time() - began < 60
                await Session(one, pool._outage).execute(INSERT)

        with pytest.raises(DatabaseDown):
            await freeze()
    assert await cup.fetchval("SELECT n FROM cup") == 3


async def test_sessions_are_named_and_guarded_by_the_lease(url: str) -> None:
    show = "SELECT current_setting($1)"
    async with connections(url, lease=8) as pool, pool.one() as one:
        found = {
            name: await one.fetchval(show, name)
            for name in ("application_name", "TimeZone", "idle_in_transaction_session_timeout",
                         "client_connection_check_interval")
        }  # fmt: skip
    assert list(found.values()) == ["sexton job test", "UTC", "8s", "2s"]


async def test_a_savepoint_survives_its_own_failures_only(url: str, cup: asyncpg.Connection) -> None:
    async with connections(url) as pool, pool.one() as one, rolled_back_on_error(one):
        session = Session(one, pool._outage)
        await one.execute("BEGIN")
        for wrong in ("SELECT 1 / 0", "SELECT 1"):
            try:
                async with session.savepoint(), session.savepoint():
                    await session.execute(INSERT)
                    await session.execute(statement(wrong))
            except asyncpg.DivisionByZeroError:
                pass
        await one.execute("COMMIT")
    assert await cup.fetchval(COUNT) == 1


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("INSERT INTO cup SELECT generate_series(1, 12)", 12), ("UPDATE cup SET n = 1 WHERE false", 0),
        ("SELECT 1", 1), ("SET LOCAL work_mem = '4MB'", 0),
    ],
)  # fmt: skip
async def test_execute_says_how_many_rows_it_touched(url: str, cup: asyncpg.Connection, text: str, rows: int) -> None:
    async with connections(url) as pool, pool.one() as one:
        assert await Session(one, pool._outage).execute(statement(text)) == rows


async def test_after_a_renewal_new_sessions_carry_the_new_name(url: str, cup: asyncpg.Connection) -> None:
    names = iter(["sexton job old", "sexton job new"])
    pool = JobConnections(lambda: url, lambda: next(names), Outage(lambda _: None), size=1, lease=30)
    shown = "SELECT current_setting('application_name')"
    async with pool.one() as one:
        assert await one.fetchval(shown) == "sexton job old"
    await pool.renew()
    async with pool.one() as one:
        assert await one.fetchval(shown) == "sexton job new"
    await pool.close()
