"""What a daemon opens beside its work: the real ports, what stands on them, and their end."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from daemon.admin_settings import AdminSettings
from daemon.channel_settings import AlertSettings, OutboxSettings, PublicSettings
from daemon.database import DatabaseDown
from daemon.events import RunEnded
from daemon.loop_lag import LoopMonitor
from daemon.metrics import Metrics
from daemon.outlets import Outlets, PortTaken
from daemon.settings import MetricsSettings
from daemon.unsubscribe import Subscription, token
from tests.daemon.channels.http_service import http_service
from tests.daemon.harness import PATIENCE, Node, node

SECRET = "correct horse battery staple"
ADA = Subscription("tea", "42", "email")


@asynccontextmanager
async def outlets(url: str, **sections: Any) -> AsyncIterator[tuple[Node, Outlets]]:
    """The outlets of a running node, not opened yet."""
    usual = {
        "metrics": MetricsSettings(listen="off"),
        "admin": AdminSettings(listen="off"),
        "outbox": OutboxSettings.model_validate({"unsubscribe_secret": SECRET}),
    }
    async with node(url) as n:
        n.engine.settings = n.engine.settings.model_copy(update=usual | sections)
        monitor = LoopMonitor(n.engine.emit, n.engine.current_run)
        monitor.start()
        made = Outlets(n.engine, monitor, n.engine.emit, None)
        try:
            yield n, made
        finally:
            await made.close()
            monitor.stop()


def public(listen: str = "127.0.0.1:0") -> PublicSettings:
    return PublicSettings(listen=listen, base_url="https://example.org")


async def test_the_public_listener_keeps_a_wish_until_the_drain(url: str, connection: asyncpg.Connection) -> None:
    async with outlets(url, public=public()) as (_, made):
        await made.open(Metrics("1"))
        link = f"http://127.0.0.1:{made.public_port}/u/{token(SECRET, ADA)}"
        async with httpx.AsyncClient() as client:
            answer = await client.post(link, data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
            await made.drain()
            with pytest.raises(httpx.ConnectError):
                await client.get(link)
        await made.drain()
    kept = await connection.fetchrow("SELECT suite, recipient, channel, reason FROM sexton.suppression")
    assert tuple(kept or ()) == ("tea", "42", "email", "unsubscribed")


async def test_nothing_public_is_opened_unless_asked_for(url: str) -> None:
    async with outlets(url) as (_, made):
        await made.open(Metrics("1"))
        assert (made.port, made.public_port) == (None, None)


@pytest.mark.parametrize("setting", ["public", "metrics", "admin"])
async def test_a_taken_port_names_the_setting_and_the_remedy(url: str, setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        sections = {
            "public": public(listen), "metrics": MetricsSettings(listen=listen),
            "admin": AdminSettings(listen=listen, jwt_secret=SecretStr("k" * 32)),
        }  # fmt: skip
        async with outlets(url, **{setting: sections[setting]}) as (_, made):
            with pytest.raises(PortTaken) as caught:
                await made.open(Metrics("1"))
    assert str(caught.value).startswith(f"{setting}.listen = '{listen}': Address already in use;")
    assert f"SEXTON_{setting.upper()}__LISTEN=127.0.0.1:0" in str(caught.value)


async def test_an_address_that_is_not_ours_blames_no_other_daemon(url: str) -> None:
    async with outlets(url, metrics=MetricsSettings(listen="192.0.2.1:9464")) as (_, made):
        with pytest.raises(PortTaken) as caught:
            await made.open(Metrics("1"))
    assert "Cannot assign requested address; choose an address of this machine" in str(caught.value)


async def test_the_probes_stand_beside_the_public_listener(url: str) -> None:
    async with outlets(url, public=public(), metrics=MetricsSettings(listen="127.0.0.1:0")) as (_, made):
        await made.open(Metrics("1"))
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{made.port}/readyz")).text == "ok\n"
            assert (await client.get(f"http://127.0.0.1:{made.public_port}/metrics")).status_code == 404


async def test_the_heart_beats_while_the_node_is_ready(url: str) -> None:
    with http_service() as service:
        alerts = AlertSettings.model_validate({"heartbeat_url": service.url, "heartbeat_every": "20ms"})
        async with outlets(url, alerts=alerts) as (n, made), asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(serve(made))
            async with asyncio.timeout(PATIENCE):
                while len(service.asked) < 3:
                    await asyncio.sleep(0.01)
            n.engine.outage.began(DatabaseDown("gone"))
            n.engine.claiming = False
            await asyncio.sleep(0.1)  # what was on its way has arrived
            count = len(service.asked)
            await asyncio.sleep(0.2)
            assert len(service.asked) == count
            serving.cancel()


async def serve(made: Outlets) -> None:
    import anyio

    async with anyio.create_task_group() as tasks:
        made.serve(tasks)


async def test_what_fails_at_the_end_is_still_kept(url: str, connection: asyncpg.Connection) -> None:
    async with outlets(url) as (n, made), asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(serve(made))
        await asyncio.sleep(0)
        n.engine.emit(RunEnded(7, "tea.brew", "failed", 1.0, "ValueError: cold"))
        serving.cancel()
    assert await connection.fetchval("SELECT key FROM sexton.alert") == "failed:tea.brew"


async def test_a_daemon_loads_neither_http_client_nor_public_listener_unless_asked_for() -> None:
    program = "import daemon.app, sys; print(sorted({'httpx', 'h11', 'jinja2', 'daemon.public'} & set(sys.modules)))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode().strip() == "[]"
