"""Calls from outside become rows: kept before they are answered, many in one commit, counted whatever came."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import asyncpg
import httpx
import pytest

from daemon import hook_desk
from daemon.database import Link, Outage
from daemon.events import Event, HookAnswered, Note
from daemon.hook import Hook, HookCall, Kept, Refused
from daemon.hook_desk import HookDesk
from daemon.hook_rows import HookRows
from daemon.metrics import Metrics
from daemon.public import PublicServer
from daemon.sql import Statement
from daemon.suite_hooks import SuiteHook

PATH = "/hooks/tea/paid"
TABLE = "CREATE SCHEMA tea; CREATE TABLE tea.call (id text PRIMARY KEY CHECK (id <> 'bad'), body bytea, tx xid8)"
SOMEBODY_WAITS = """
    SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE d.datname = current_database() AND l.relation = 'tea.call'::regclass AND NOT l.granted)
"""
KEEP = Statement(
    "keep",
    "INSERT INTO call SELECT *, pg_current_xact_id() FROM unnest($1::text[], $2::bytea[]) ON CONFLICT DO NOTHING",
    "here",
)


def read(call: HookCall, settings: object) -> Kept | Refused:
    match call.headers.get("x-id"):
        case None:
            return Refused(400, "x-id is missing")
        case "boom":
            raise RuntimeError("secret inside")
        case id_:
            assert settings == "settings of tea"
            return Kept(id_, call.body)


class Counted:
    def __init__(self) -> None:
        self.events: list[Event] = []

    @property
    def answers(self) -> Counter[int]:
        return Counter(event.status for event in self.events if isinstance(event, HookAnswered))


@asynccontextmanager
async def serving(url: str, heard: Counted) -> AsyncIterator[httpx.AsyncClient]:
    link = Link(lambda: url, lambda: "test", Outage(heard.events.append))
    hooks = {PATH: SuiteHook("tea", PATH, Hook("/paid", KEEP, 100_000, read))}
    desk = HookDesk(hooks, {"tea": "settings of tea"}, link, heard.events.append)
    server = PublicServer("x" * 32, lambda _: asyncio.sleep(0), heard.events.append, desk)
    port = await server.start("127.0.0.1", 0)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        await server.stop()
        await link.close()


@pytest.fixture
async def table(connection: asyncpg.Connection) -> asyncpg.Connection:
    await connection.execute(TABLE)
    return connection


async def test_a_call_is_a_row_when_it_is_answered_and_the_same_call_again_is_answered_alike(
    url: str, table: asyncpg.Connection
) -> None:
    heard = Counted()
    async with serving(url, heard) as client:
        for _ in range(2):
            answer = await client.post(PATH + "?a=b", content=b"\x00\xff", headers={"X-Id": "1"})
            assert (answer.status_code, answer.text) == (200, "kept\n")
    assert [tuple(row) for row in await table.fetch("SELECT id, body FROM tea.call")] == [("1", b"\x00\xff")]
    assert heard.answers == {200: 2}


async def test_what_is_refused_is_counted_and_nothing_of_it_is_kept(url: str, table: asyncpg.Connection) -> None:
    heard = Counted()
    async with serving(url, heard) as client:
        statuses = [
            (await client.post(PATH)).status_code,
            (await client.get(PATH)).status_code,
            (await client.post(PATH, headers={"x-id": "boom"})).status_code,
            (await client.post(PATH, headers={"x-id": "bad"})).status_code,
            (await client.post(PATH, content=b"x" * 100_001, headers={"x-id": "1"})).status_code,
            (await client.post(PATH, content=chunks(), headers={"x-id": "1"})).status_code,
            (await client.post("/hooks/tea/other", headers={"x-id": "1"})).status_code,
        ]
    assert statuses == [400, 405, 500, 422, 413, 413, 404]
    assert heard.answers == {400: 1, 405: 1, 500: 1, 422: 1, 413: 2}
    assert await table.fetchval("SELECT count(*) FROM tea.call") == 0


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(30):
        yield b"x" * 10_000


async def test_a_fault_of_the_suites_is_told_to_us_and_not_to_strangers(url: str, table: asyncpg.Connection) -> None:
    heard = Counted()
    async with serving(url, heard) as client:
        answer = await client.post(PATH, headers={"x-id": "boom"})
    assert "secret" not in answer.text
    notes = [event.text for event in heard.events if isinstance(event, Note)]
    assert notes == [f"POST {PATH}: RuntimeError: secret inside"]


async def test_calls_that_come_at_once_share_commits_and_a_bad_one_costs_only_itself(
    url: str, table: asyncpg.Connection
) -> None:
    heard = Counted()
    async with serving(url, heard) as client:
        async with table.transaction():
            await table.execute("LOCK TABLE tea.call IN SHARE MODE")  # the first commit waits, and the others gather
            ids = ["first", *[str(n) for n in range(60)], "bad"]
            asked = [asyncio.create_task(client.post(PATH, headers={"x-id": id_})) for id_ in ids]
            while not await table.fetchval(SOMEBODY_WAITS):
                await asyncio.sleep(0.01)
        answers = Counter([(await one).status_code for one in asked])
    assert answers == {200: 61, 422: 1}
    assert await table.fetchval("SELECT count(*) FROM tea.call") == 61


async def test_calls_that_were_kept_before_cost_a_call_nothing(url: str, connection: asyncpg.Connection) -> None:
    """A foreign key's plan lasts as long as its connection: this one is made while the table is known to be empty."""
    await connection.execute(
        "CREATE SCHEMA tea; CREATE TABLE tea.cup (id int PRIMARY KEY); CREATE TABLE tea.sip (id int REFERENCES tea.cup)"
    )
    await connection.execute("VACUUM ANALYZE tea.cup")
    keep = "WITH c AS (INSERT INTO cup SELECT unnest($1::int[])) INSERT INTO sip SELECT unnest($1::int[])"
    link = Link(lambda: url, lambda: "test", Outage(list[Event]().append))
    rows = HookRows(link, "tea", Statement("keep", keep, "here"))
    for n in range(20):
        await rows.kept((n,))
    async with link.held() as kept_on:
        await kept_on.fetchval("SELECT pg_stat_force_next_flush()")
    read = await connection.fetchrow("SELECT seq_tup_read, idx_scan FROM pg_stat_user_tables WHERE relname = 'cup'")
    assert tuple(read or ()) == (0, 20)
    await link.close()


async def test_suites_that_share_a_connection_keep_in_their_own_tables(
    url: str, connection: asyncpg.Connection
) -> None:
    for suite in ("tea", "cups"):
        await connection.execute(f"CREATE SCHEMA {suite}; CREATE TABLE {suite}.call (id text)")
    link, looks = Link(lambda: url, lambda: "test", Outage(list[Event]().append)), WeakKeyDictionary()
    keep = Statement("keep", "INSERT INTO call SELECT unnest($1::text[])", "here")
    tea, cups = (HookRows(link, suite, keep, looks) for suite in ("tea", "cups"))
    for n in range(3):
        await asyncio.gather(tea.kept((f"tea {n}",)), cups.kept((f"cups {n}",)))
        link.renew()
    for suite in ("tea", "cups"):
        kept = [row["id"] for row in await connection.fetch(f"SELECT id FROM {suite}.call ORDER BY id")]
        assert kept == [f"{suite} {n}" for n in range(3)]
    await link.close()


async def test_without_a_database_the_caller_is_asked_to_come_again(url: str, table: asyncpg.Connection) -> None:
    heard = Counted()
    async with serving("postgresql://nobody@127.0.0.1:1/none", heard) as client:
        answer = await client.post(PATH, headers={"x-id": "1"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert heard.answers == {503: 1}


async def test_who_cannot_be_answered_in_time_is_asked_to_come_again_and_finds_the_row_there(
    url: str, table: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_desk, "PATIENCE", 0.05)
    heard = Counted()
    async with serving(url, heard) as client:
        async with table.transaction():
            await table.execute("LOCK TABLE tea.call IN SHARE MODE")
            assert (await client.post(PATH, headers={"x-id": "1"})).status_code == 503
        while not await table.fetchval("SELECT count(*) FROM tea.call"):
            await asyncio.sleep(0.01)
        monkeypatch.setattr(hook_desk, "PATIENCE", 60)
        assert (await client.post(PATH, headers={"x-id": "1"})).status_code == 200


def test_every_status_has_its_counter_from_the_start() -> None:
    metrics = Metrics("test")
    metrics.introduce_hooks({PATH: "tea"}, hook_desk.STATUSES)
    metrics(HookAnswered("tea", PATH, 401))
    value = metrics.registry.get_sample_value
    labels = {"suite": "tea", "path": PATH}
    assert value("sexton_hook_calls_total", {**labels, "status": "401"}) == 1
    assert value("sexton_hook_calls_total", {**labels, "status": "503"}) == 0


@pytest.mark.parametrize("status", [200, 302, 500])
def test_a_refusal_is_a_status_of_400_to_499(status: int) -> None:
    with pytest.raises(ValueError, match="choose a status from 400 to 499"):
        Refused(status, "no")
