"""A real SMTP server in this process that keeps what it is sent, and channels to send by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import asyncpg
from aiosmtpd.smtp import SMTP

from daemon.channels.channel import Delivery, Message, Verdict
from tests.daemon.harness import PATIENCE

PEOPLE = """
    CREATE SCHEMA test;
    CREATE TABLE test.person (
        id bigint PRIMARY KEY, email text, phone text, timezone text, quiet_start time, quiet_end time,
        opted_out text[], deleted bool);
    CREATE VIEW test.sexton_recipient AS
        SELECT id::text, email, phone, timezone, 'en' AS locale, quiet_start, quiet_end, opted_out, deleted
        FROM test.person;
"""


@dataclass
class MailServer:
    """`answer` decides what is said to a message after its data; `hold` keeps it waiting there."""

    port: int = 0
    received: list[Any] = field(default_factory=list)
    answer: Callable[[str], str] = lambda _: "250 OK"
    hold: asyncio.Event | None = None
    connections: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name for it
        answer = self.answer(envelope.rcpt_tos[0])
        if answer.startswith("2"):
            self.received.append(message_from_bytes(envelope.content))
        self._news.set()
        if self.hold is not None:
            await self.hold.wait()
        return answer

    async def has(self, count: int) -> None:
        """Wait until so many messages have arrived."""
        async with asyncio.timeout(PATIENCE):
            while len(self.received) < count:
                self._news.clear()
                await self._news.wait()

    def release(self) -> None:
        """Answer what was kept waiting, and all that comes."""
        if self.hold is not None:
            self.hold.set()

    @property
    def ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.received]


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    loop = asyncio.get_running_loop()
    keeps = MailServer()

    def protocol() -> SMTP:
        keeps.connections += 1
        return SMTP(keeps, loop=loop, enable_SMTPUTF8=True)

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    keeps.port = server.sockets[0].getsockname()[1]
    try:
        yield keeps
    finally:
        keeps.release()
        server.close()
        await server.wait_closed()


@dataclass
class SmtpChannel:
    """One connection a message. `name` may say sms: what is repeated is decided by name alone."""

    port: int
    name: str = "email"
    concurrency: int = 4
    per_second: float | None = None
    sent: list[Message] = field(default_factory=list)
    probes: int = 0
    verdict: Delivery | None = None
    probed: Verdict | None = None  # what a probe finds, where that differs

    async def send(self, message: Message) -> Delivery:
        self.sent.append(message)
        if self.verdict is not None:
            return self.verdict
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "sexton@example.org", message.address, message.subject
        mail["Message-ID"] = f"<{message.dedupe_key}@example.org>"
        mail.set_content(message.text)
        try:
            await aiosmtplib.send(mail, hostname="127.0.0.1", port=self.port, start_tls=False, timeout=60)
        except aiosmtplib.SMTPResponseException as refusal:
            verdict = Verdict.REJECTED if refusal.code >= 500 else Verdict.RETRY
            return Delivery(verdict, f"{refusal.code} {refusal.message}", address_is_dead=refusal.code == 550)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Delivery(Verdict.DOWN, str(error) or type(error).__name__)
        return Delivery(Verdict.SENT)

    async def probe(self) -> Delivery:
        self.probes += 1
        if self.probed is not None:
            return Delivery(self.probed)
        if self.verdict is not None:
            return self.verdict
        try:
            async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.port, start_tls=False, timeout=5):
                return Delivery(Verdict.SENT)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Delivery(Verdict.DOWN, str(error))

    async def aclose(self) -> None:
        """Nothing is kept open."""


async def leave(connection: asyncpg.Connection, count: int = 1, **columns: Any) -> None:
    """So many messages, to address `n@example.org` with key `m<n>` unless `columns` say otherwise."""
    given = {"suite": "test", "template": "hello"} | columns
    if "recipient" not in given:
        given.setdefault("address", None)
    names = list(given)
    values = [f"coalesce(${i}::text, n || '@example.org')" if name == "address" else f"${i}"
              for i, name in enumerate(names, 2)]  # fmt: skip
    await connection.execute(
        f"INSERT INTO sexton.outbox (dedupe_key, data, {', '.join(names)}) "
        f"SELECT 'm' || n, jsonb_build_object('name', 'Asha', 'number', n), {', '.join(values)} "
        "FROM (SELECT count(*) AS there FROM sexton.outbox) o, generate_series(o.there + 1, o.there + $1::int) n",
        count, *given.values(),
    )  # fmt: skip


async def states(connection: asyncpg.Connection) -> dict[str, int]:
    """How many messages are in each state."""
    rows = await connection.fetch("SELECT state, count(*) FROM sexton.outbox GROUP BY state")
    return {row["state"]: row["count"] for row in rows}
