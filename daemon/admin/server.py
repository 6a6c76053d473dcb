"""The server: uvicorn within our own tasks, with our own signals, on a socket that we have bound."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import anyio
import uvicorn

from daemon.admin.app import create_app
from daemon.admin.database import AdminDatabase
from daemon.admin.keys import signing_key
from daemon.admin.state import AdminState
from daemon.admin_settings import AdminSettings
from daemon.engine import Engine
from daemon.setting_addresses import parse_listen

LONGEST_STOP = 3
MOST_CONNECTIONS = 500
KEEP_ALIVE = 30


class Uvicorn(uvicorn.Server):
    """Leaves SIGTERM and SIGINT to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class AdminServer:
    """`bind` takes the port, `step` serves until cancelled, as a service does."""

    def __init__(self, settings: AdminSettings, state: AdminState) -> None:
        self._settings, self.state = settings, state
        self.app = create_app(state)
        self._socket: socket.socket | None = None
        self.port: int | None = None

    def bind(self) -> int:
        """The port, which matters for port 0. Raises `OSError` if it is taken."""
        host, port = parse_listen(self._settings.listen)
        family, kind, protocol, _, address = socket.getaddrinfo(host, self.port or port, type=socket.SOCK_STREAM)[0]
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            self._socket.listen()
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])
        return self.port

    async def step(self) -> float:
        """Serve for as long as we live. What is being answered when we are cancelled has a moment to finish."""
        if self._socket is None:
            self.bind()
        assert self._socket is not None
        bound, self._socket = self._socket, None
        server = Uvicorn(self._configuration())
        self.state.leaving.clear()
        await self.state.database.open()
        try:
            await server.serve(sockets=[bound])
        finally:
            self.state.leaving.set()
            with anyio.CancelScope(shield=True), anyio.move_on_after(LONGEST_STOP + 1):
                if server.started:
                    await server.shutdown(sockets=[bound])
            bound.close()
            await self.state.database.close()
        return 0.0

    def _configuration(self) -> uvicorn.Config:
        proxies = list(self._settings.proxies)
        return uvicorn.Config(
            self.app, http="h11", ws="none", loop="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, date_header=True, proxy_headers=bool(proxies), forwarded_allow_ips=proxies,
            limit_concurrency=MOST_CONNECTIONS, timeout_keep_alive=KEEP_ALIVE, timeout_graceful_shutdown=LONGEST_STOP,
        )  # fmt: skip

    def close(self) -> None:
        """For a server that never came to serve."""
        if self._socket is not None:
            self._socket.close()


def admin_server(engine: Engine) -> AdminServer:
    """Not bound yet. Raises `NoKey`."""
    settings = engine.settings
    database = AdminDatabase(
        lambda: engine.urls.direct, lambda: f"sexton admin {engine.lease.incarnation}", engine.outage
    )
    return AdminServer(settings.admin, AdminState(engine, database, signing_key(settings)))
