"""The server: uvicorn within our own tasks, with our own signals, on a socket that we have bound."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from typing import cast

import anyio
import uvicorn

from daemon.admin.app import create_app
from daemon.admin.bound import bound
from daemon.admin.crowd import Connection
from daemon.admin.database import AdminDatabase
from daemon.admin.state import AdminState
from daemon.admin_settings import AdminSettings
from daemon.engine import Engine

LONGEST_STOP = 3
KEEP_ALIVE = 30


class Uvicorn(uvicorn.Server):
    """Leaves SIGTERM and SIGINT to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Until we are cancelled. uvicorn's own wakes ten times a second to see whether it should leave, which costs an
        idle node more than all the rest of it does.
        """
        await self.on_tick(0)
        await anyio.sleep_forever()


class AdminServer:
    """`bind` takes the port, `step` serves until cancelled, as a service does."""

    def __init__(self, settings: AdminSettings, state: AdminState, taken: socket.socket | None = None) -> None:
        self._settings, self.state = settings, state
        self.app = create_app(state)
        self._socket = taken
        self.port: int | None = taken.getsockname()[1] if taken else None

    def bind(self) -> int:
        """The port, which matters for port 0. Raises `OSError` if it is taken."""
        self._socket = bound(self._settings.listen, self.port)
        self.port = int(self._socket.getsockname()[1])
        return self.port

    async def step(self) -> float:
        """Serve for as long as we live. What is being answered when we are cancelled has a moment to finish."""
        if self._socket is None:
            self.bind()
        assert self._socket is not None
        taken, self._socket = self._socket, None
        server = Uvicorn(self._configuration())
        self.state.leaving.clear()
        await self.state.database.open()
        try:
            await server.serve(sockets=[taken])
        finally:
            self.state.leaving.set()
            with anyio.CancelScope(shield=True), anyio.move_on_after(LONGEST_STOP + 1):
                if server.started:
                    await server.shutdown(sockets=[taken])
            taken.close()
            await self.state.database.close()
        return 0.0

    def _configuration(self) -> uvicorn.Config:
        proxies = list(self._settings.proxies)
        silent: dict[Connection, None] = {}
        made = partial(Connection, silent=silent, turned_away=self.state.doorkeeper.turn_away)
        connection = cast("type[asyncio.Protocol]", made)
        return uvicorn.Config(
            self.app, http=connection, ws="none", loop="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, date_header=False, proxy_headers=bool(proxies), forwarded_allow_ips=proxies,
            timeout_keep_alive=KEEP_ALIVE, timeout_graceful_shutdown=LONGEST_STOP,
        )  # fmt: skip


def admin_server(engine: Engine, taken: socket.socket, key: str) -> AdminServer:
    """On a socket that was taken before; `key` signs tokens. Called in a thread: it is long work."""
    database = AdminDatabase(
        lambda: engine.urls.direct, lambda: f"sexton admin {engine.lease.incarnation}", engine.outage
    )
    return AdminServer(engine.settings.admin, AdminState(engine, database, key), taken)
