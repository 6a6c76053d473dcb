"""A node with its admin on a real port, and clients of every role."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import httpx

from daemon.actions_deed import Actor
from daemon.admin import tokens
from daemon.admin.database import AdminDatabase
from daemon.admin.roles import Role
from daemon.admin.server import AdminServer
from daemon.admin.state import AdminState
from daemon.admin_settings import AdminSettings
from daemon.job import Job
from tests.daemon.harness import Node, node

KEY = "a key of at least thirty-two octets, for tests"
NO_TLS = ssl.create_default_context()
"""For clients of plain HTTP: one of its own would read all authorities of the world anew for each."""
GRACE = Actor("grace", "cli")


@dataclass
class House:
    """`client(role)` is logged in with a bearer token, `client(None)` with nothing."""

    node: Node
    server: AdminServer
    connection: asyncpg.Connection
    base: str
    _serving: asyncio.Task[float] | None = None
    _clients: dict[Role | None, httpx.AsyncClient] = field(default_factory=dict)

    @property
    def state(self) -> AdminState:
        return self.server.state

    def serve(self) -> None:
        """From now on, on the same port as before."""
        self._serving = asyncio.create_task(self.server.step())

    async def serve_no_more(self) -> None:
        assert self._serving is not None
        self._serving.cancel()
        with suppress(asyncio.CancelledError):
            await self._serving

    async def token(self, role: Role, name: str = "ada", ttl: timedelta = timedelta(hours=1)) -> str:
        text, _ = await tokens.issue(self.connection, KEY, GRACE, name, role, ttl)
        return text

    def new_client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.base, timeout=60, verify=NO_TLS, **options)

    def client(self, role: Role | None) -> httpx.AsyncClient:
        return self._clients[role]

    @property
    def viewer(self) -> httpx.AsyncClient:
        return self._clients[Role.VIEWER]

    @property
    def operator(self) -> httpx.AsyncClient:
        return self._clients[Role.OPERATOR]

    @property
    def admin(self) -> httpx.AsyncClient:
        return self._clients[Role.ADMIN]


@asynccontextmanager
async def house(
    url: str, *jobs: Job, settings: AdminSettings | None = None, suite_settings: Mapping[str, Any] | None = None,
    **parts: Any,
) -> AsyncIterator[House]:  # fmt: skip
    """A node of these jobs with its admin, for the block. `suite_settings`: suite → its settings."""
    admin = settings or AdminSettings(listen="127.0.0.1:0")
    async with node(url, *jobs, settings=suite_settings or {}, **parts) as running:
        engine = running.engine
        engine.settings = engine.settings.model_copy(update={"admin": admin})
        database = AdminDatabase(lambda: url, lambda: "sexton admin test", engine.outage)
        server = AdminServer(admin, AdminState(engine, database, KEY))
        port = server.bind()
        connection = await asyncpg.connect(url)
        opened = House(running, server, connection, f"http://127.0.0.1:{port}")
        opened.serve()
        try:
            await _log_everybody_in(opened)
            yield opened
        finally:
            for client in opened._clients.values():
                await client.aclose()
            await connection.close()
            await opened.serve_no_more()


async def _log_everybody_in(opened: House) -> None:
    opened._clients[None] = opened.new_client()
    for role, name in ((Role.VIEWER, "vera"), (Role.OPERATOR, "otto"), (Role.ADMIN, "ada")):
        token = await opened.token(role, name)
        opened._clients[role] = opened.new_client(headers={"Authorization": f"Bearer {token}"})
