"""A real mail server on loopback that answers what a test wants, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from daemon.channel_settings import EmailSettings
from daemon.channels.email import EmailChannel

DROP = "drop"  # instead of an answer: the connection is cut
HANG = "hang"  # instead of an answer: none
DROP_AFTER = "drop after "  # the answer is given, then the connection is cut
USER, PASSWORD = "sexton", "open sesame"


@dataclass
class Received:
    sender: str
    recipients: list[str]
    content: bytes
    options: list[str]
    session: int


@dataclass
class MailServer:
    """`answers` has for each command what it is answered next; without one, as a server that is well."""

    port: int = 0
    answers: dict[str, deque[str]] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    sessions: int = 0
    _open: set[asyncio.BaseTransport] = field(default_factory=set)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, command: str, *answers: str) -> None:
        self.answers.setdefault(command, deque()).extend(answers)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from, envelope.mail_options = address, list(options)
        return await self._say("MAIL", server, "250 2.1.0 sender ok")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._say("RCPT", server, "250 2.1.5 recipient ok")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        taken = Received(
            envelope.mail_from or "", list(envelope.rcpt_tos), content, envelope.mail_options,
            session.number,  # type: ignore[attr-defined]
        )  # fmt: skip
        answer = await self._say("DATA", server, f"250 2.0.0 Ok: queued as Q{len(self.received)}")
        if answer.startswith("250") or answer == DROP:
            self.received.append(taken)
        return answer

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return await self._say("RSET", server, "250 2.0.0 reset")

    async def _say(self, command: str, server: SMTP, usual: str) -> str:
        self.commands.append(command)
        waiting = self.answers.get(command)
        answer = waiting.popleft() if waiting else usual
        if answer == HANG:
            await self._over.wait()
        transport = server.transport
        if answer == DROP and transport is not None:
            transport.abort()  # type: ignore[attr-defined]
        if answer.startswith(DROP_AFTER) and transport is not None:
            asyncio.get_running_loop().call_soon(transport.close)
            return answer.removeprefix(DROP_AFTER)
        return answer

    def cut_everybody(self) -> None:
        """As a restart of the server does to connections that rest."""
        for transport in list(self._open):
            transport.close()

    def stop(self) -> None:
        self._over.set()
        self.cut_everybody()


class _Server(SMTP):
    """Counts its connections, and refuses some of them in its greeting."""

    def __init__(self, owner: MailServer, most: int, **options: Any) -> None:
        self._owner, self._most = owner, most
        super().__init__(owner, hostname="mail.example", ident="test", **options)

    def _create_session(self) -> Session:
        session = super()._create_session()
        session.number = self._owner.sessions  # type: ignore[attr-defined]
        return session

    def connection_made(self, transport: Any) -> None:
        owner = self._owner
        if self._original_transport is None:  # not the second time, when STARTTLS has wrapped it
            greeting = owner.answers.get("GREETING")
            refusal = greeting.popleft() if greeting else "421 4.7.0 too many connections"
            if greeting is not None or len(owner._open) >= self._most:
                transport.write(f"{refusal}\r\n".encode())
                transport.close()
                return
            owner.sessions += 1
            owner._open.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._owner._open.discard(self.transport)
        if self.session is not None:
            super().connection_lost(error)


def login(_server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def mail_server(
    *, tls: ssl.SSLContext | None = None, implicit: ssl.SSLContext | None = None, most: int = 1000, **options: Any
) -> AsyncIterator[MailServer]:
    """`tls` offers STARTTLS, `implicit` is TLS from the first octet, `most` connections at once; options are SMTP's."""
    owner = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Server(owner, most, loop=loop, tls_context=tls, **options), "127.0.0.1", 0, ssl=implicit
    )
    owner.port = server.sockets[0].getsockname()[1]
    try:
        yield owner
    finally:
        owner.stop()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def email_to(server: MailServer, **settings: Any) -> AsyncIterator[EmailChannel]:
    """Our channel to that server; without encryption unless the settings say otherwise."""
    given = {"host": "127.0.0.1", "port": server.port, "tls": "none", "sender": "Sexton <sexton@example.org>"}
    channel = EmailChannel(EmailSettings.model_validate({**given, **settings}))
    try:
        yield channel
    finally:
        await channel.aclose()


def certificate(name: str = "127.0.0.1") -> tuple[trustme.CA, ssl.SSLContext]:
    """An authority of our own, and a server's side of TLS that it has signed for."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return authority, context
