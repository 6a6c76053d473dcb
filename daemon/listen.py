"""The LISTEN connection. It proves itself by hearing its own echo; polling remains the floor under it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from daemon.database import DatabaseDown, Outage, connect, means_lost
from daemon.events import Event, ListenLost

CHANNEL = "sexton"
ECHO_EVERY = 30.0
ECHO_PATIENCE = 5.0


class NoEcho(Exception):
    """The database answers, and what it is asked to tell does not arrive."""


@dataclass
class Listener:
    """`hear(payload)` is called for every notification that is not our own echo; `heard`: when that came last."""

    url: Callable[[], str]
    application: Callable[[], str]
    outage: Outage
    hear: Callable[[str], None]
    emit: Callable[[Event], None]
    healthy: bool = False
    heard: float = field(default_factory=time.monotonic)
    _connection: asyncpg.Connection | None = None
    _echo: asyncio.Event = field(default_factory=asyncio.Event)
    _nonce: str = ""

    async def step(self) -> float:
        """Connect if need be, then send an echo and wait for it. Raises `DatabaseDown`, `NoEcho`."""
        try:
            connected = await self._ensure()
            await self._hear_myself(connected)
        except Exception as error:
            self._lost(f"{type(error).__name__}: {error}")
            if means_lost(error):
                self.outage.began(error)
                raise DatabaseDown(str(error)) from error
            raise
        return ECHO_EVERY

    async def _ensure(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self.url(), self.application(), statement_cache=0)
            await self._connection.add_listener(CHANNEL, self._received)
            self.hear("reconnected")  # whatever was said in between is looked up, not lost
        return self._connection

    async def _hear_myself(self, connection: asyncpg.Connection) -> None:
        self._nonce = f"echo:{secrets.token_hex(8)}"
        self._echo.clear()
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, self._nonce)
        try:
            async with asyncio.timeout(ECHO_PATIENCE):
                await self._echo.wait()
        except TimeoutError:  # it answers, so it is not away
            raise NoEcho("no echo; behind a transaction pooler, set database.direct_url") from None
        self.healthy, self.heard = True, time.monotonic()

    def _received(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        text = str(payload)
        if text == self._nonce:
            self._echo.set()
        elif not text.startswith("echo:"):
            self.hear(text)

    def _lost(self, reason: str) -> None:
        if self.healthy:
            self.emit(ListenLost(reason))
        self.healthy = False
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
