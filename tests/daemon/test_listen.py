"""The LISTEN connection proves itself by hearing its own echo; what it missed is looked up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import pytest

from daemon import Context, OnDemand, listen
from daemon.database import DatabaseDown, Outage
from daemon.events import DatabaseLost, Event, ListenLost, RunEnded
from daemon.listen import Listener, NoEcho
from tests.daemon.asking import ask
from tests.daemon.cuttable import wire
from tests.daemon.harness import a_job, node
from tests.daemon.meddler import meddler


@dataclass
class Heard:
    payloads: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, payload: str) -> None:
        self.payloads.append(payload)
        self.news.set()

    async def payload(self, text: str) -> None:
        async with asyncio.timeout(60):
            while text not in self.payloads:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[tuple[Listener, Heard]]:
    heard = Heard()
    outage = Outage(heard.events.append)
    listener = Listener(lambda: url, lambda: "sexton listen test", outage, heard.hear, heard.events.append)
    try:
        yield listener, heard
    finally:
        await listener.close()


async def test_it_hears_its_own_echo_and_keeps_it_to_itself(url: str) -> None:
    async with listening(url) as (one, heard_one), listening(url) as (two, heard_two):
        for _ in range(2):
            assert await one.step() == await two.step() == listen.ECHO_EVERY
        assert one.healthy
        assert heard_one.payloads == heard_two.payloads == ["reconnected"]


async def test_what_is_told_is_heard_between_steps(url: str, connection: asyncpg.Connection) -> None:
    async with listening(url) as (listener, heard):
        await listener.step()
        await connection.execute("SELECT pg_notify('sexton', 'queue:tea.cup'), pg_notify('other', 'x')")
        await heard.payload("queue:tea.cup")
        assert heard.payloads == ["reconnected", "queue:tea.cup"]


async def test_a_lost_connection_is_noticed_replaced_and_makes_everything_be_looked_up(url: str) -> None:
    async with wire(url) as w, listening(w.url) as (listener, heard):
        await listener.step()
        await w.cut()
        for _ in range(2):
            with pytest.raises(DatabaseDown):
                await listener.step()
        assert not listener.healthy
        assert [type(e) for e in heard.events] == [ListenLost, DatabaseLost]
        await w.mend()
        await listener.step()
        assert listener.healthy
        assert heard.payloads == ["reconnected", "reconnected"]


async def test_a_database_that_answers_but_does_not_tell_is_not_away(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with meddler(url) as between, listening(between.url) as (listener, heard):
        await listener.step()
        between.deaf = True
        with monkeypatch.context() as patch:
            patch.setattr(listen, "ECHO_PATIENCE", 0.1)
            for _ in range(2):
                with pytest.raises(NoEcho, match=r"set database\.direct_url"):
                    await listener.step()
        assert not listener.healthy
        assert [type(e) for e in heard.events] == [ListenLost]
        between.deaf = False
        await listener.step()
        assert listener.healthy


async def test_a_node_finds_what_was_said_while_it_could_not_hear(
    url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.dispatcher.FLOOR", 3600.0)  # it does not look again by itself

    async def body(_: Context) -> None: ...

    async with node(url, a_job(body, OnDemand(), "t.one")) as n:
        while not n.engine.listener.healthy:
            await asyncio.sleep(0.01)
        await n.engine.listener.close()
        await n.engine.dispatcher.step()
        await ask(connection, "t.one")
        n.engine.wake("listener")
        await n.event(RunEnded)
