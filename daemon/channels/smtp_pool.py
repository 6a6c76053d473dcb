"""Connections to one mail server, made when needed, kept for the next message, made anew when they close."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiosmtplib import SMTP, SMTPConnectResponseError, SMTPException, SMTPHeloError

from daemon.channel_settings import EmailSettings

ASK_AFTER_IDLE = 5.0  # a connection that has rested for so long is asked whether it still lives
PATIENCE_FOR_ANSWER = 5.0
LONGEST_GOODBYE = 1.0
REMEMBER_LIMIT = 60.0


class Unreachable(Exception):
    """There is no usable connection to be had: no route, no greeting, no TLS, no login."""


@dataclass
class Line:
    """One connection. `fresh`: nothing has been sent over it, so that its loss is no sign of old age."""

    smtp: SMTP
    fresh: bool = True
    rested_since: float = 0.0


class SmtpPool:
    """At most `concurrency` connections; fewer when the server lets us have fewer."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self._timeout = settings.timeout.total_seconds()
        self._idle: list[Line] = []
        self._open = self._connecting = 0
        self._limit, self._limited_at = settings.concurrency, -REMEMBER_LIMIT
        self._news = asyncio.Event()
        self._tls: ssl.SSLContext | None = None
        self._closed = False

    @asynccontextmanager
    async def line(self, *, fresh: bool = False) -> AsyncIterator[Line]:
        """A connection for the block, afterwards kept if it still lives. Raises `Unreachable`."""
        line = await self._take(fresh=fresh)
        try:
            yield line
        except BaseException:  # cancelled half way: nobody knows what the server is waiting for
            line.smtp.close()
            raise
        finally:
            self._give_back(line)

    async def aclose(self) -> None:
        """Say goodbye on resting connections; those at work are closed when they come back."""
        self._closed = True
        resting, self._idle = self._idle, []
        await asyncio.gather(*(self._leave(line) for line in resting))

    async def forget(self) -> None:
        """Close what rests, so that the next message finds out how things are now."""
        await self.aclose()
        self._closed = False

    async def _take(self, *, fresh: bool) -> Line:
        while True:
            line = None if fresh else await self._resting()
            if line is not None:
                return line
            if self._open < self._allowed:
                try:
                    return await self._connect()
                except Unreachable as error:
                    if not await self._is_limit(error):
                        raise
            elif self._idle:  # a fresh one is wanted, and an old one has its place
                self._discard(self._idle.pop(0))
                continue
            await self._hear()

    async def _resting(self) -> Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.smtp.is_connected and await self._answers(line):
                return line
            self._discard(line)
        return None

    async def _answers(self, line: Line) -> bool:
        """RSET, for one that may have been closed meanwhile by something on the way that tells nobody."""
        if time.monotonic() - line.rested_since < ASK_AFTER_IDLE:
            return True
        try:
            await line.smtp.rset(timeout=PATIENCE_FOR_ANSWER)
        except (SMTPException, OSError):
            return False
        except BaseException:
            self._discard(line)
            raise
        return True

    async def _connect(self) -> Line:
        self._open += 1
        self._connecting += 1
        try:
            return Line(await self._introduced())
        except Exception as error:
            self._closed_one()
            reason = _without_credentials(_reason(error), self._settings)
            raise Unreachable(f"{self._settings.host}:{self._settings.port}: {reason}") from error
        except BaseException:
            self._closed_one()
            raise
        finally:
            self._connecting -= 1
            self._news.set()

    async def _introduced(self) -> SMTP:
        """Connected, encrypted, logged in, and told what the server can do."""
        settings = self._settings
        smtp = SMTP(
            hostname=settings.host, port=settings.port, timeout=self._timeout,
            use_tls=settings.tls == "implicit", start_tls=settings.tls == "starttls", tls_context=await self._context(),
            username=settings.username or None, password=settings.password.get_secret_value() or None,
            local_hostname=settings.own_domain,
        )  # fmt: skip
        await smtp.connect()
        try:
            if smtp.is_ehlo_or_helo_needed:
                await _greet(smtp)
        except BaseException:
            smtp.close()
            raise
        return smtp

    async def _context(self) -> ssl.SSLContext | None:
        """Made once, in a thread: reading the system's certificates takes tens of milliseconds."""
        if self._tls is None and self._settings.tls != "none":
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls

    @property
    def _allowed(self) -> int:
        recently = time.monotonic() - self._limited_at < REMEMBER_LIMIT
        return self._limit if recently else self._settings.concurrency

    async def _is_limit(self, error: Unreachable) -> bool:
        """Servers that allow fewer connections than we want greet the others with 4xx: use those that we have."""
        greeting = error.__cause__
        if not isinstance(greeting, SMTPConnectResponseError) or greeting.code // 100 != 4:
            return False
        while self._connecting and self._open == self._connecting:  # one of those under way may yet succeed
            await self._hear()
        established = self._open - self._connecting
        if established:
            self._limit, self._limited_at = established, time.monotonic()
        return established > 0

    def _give_back(self, line: Line) -> None:
        line.fresh, line.rested_since = False, time.monotonic()
        if line.smtp.is_connected and not self._closed:
            self._idle.append(line)
            self._news.set()
        else:
            self._discard(line)

    def _discard(self, line: Line) -> None:
        line.smtp.close()
        self._closed_one()

    def _closed_one(self) -> None:
        self._open -= 1
        self._news.set()

    async def _hear(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _leave(self, line: Line) -> None:
        with contextlib.suppress(SMTPException, OSError):
            await line.smtp.quit(timeout=LONGEST_GOODBYE)
        self._discard(line)


async def _greet(smtp: SMTP) -> None:
    try:
        await smtp.ehlo()
    except SMTPHeloError:
        await smtp.helo()


def _reason(error: Exception) -> str:
    """What the server said with its code, else the error's own words."""
    if isinstance(error, SMTPException) and len(error.args) > 1:
        return f"{type(error).__name__.removeprefix('SMTP')}: {error.args[0]} {error.args[1]}"
    return str(error) or type(error).__name__


def _without_credentials(text: str, settings: EmailSettings) -> str:
    """Some servers repeat the command that they refuse, and with it the password as AUTH PLAIN or LOGIN wraps it."""
    user, password = settings.username, settings.password.get_secret_value()
    if not password:
        return text
    wrapped = (base64.b64encode(said.encode()).decode() for said in (f"\0{user}\0{password}", password))
    for secret in (*wrapped, password):
        text = text.replace(secret, "[…]")
    return text
