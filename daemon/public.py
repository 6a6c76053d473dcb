"""The `[public]` listener: the one socket that strangers may reach. It serves the links to unsubscribe, nothing else.

One request a connection, few octets, little time; what is not a signed link gets 404, so that nothing can be learnt.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import h11

from daemon import sql
from daemon.database import DatabaseDown, Link
from daemon.delivery_rules import UNSUBSCRIBED
from daemon.events import Event, Note
from daemon.public_pages import (
    DONE,
    GUARDED,
    NOT_A_WISH,
    NOT_FOUND,
    TRY_LATER,
    UNREADABLE,
    Page,
    asks_to_unsubscribe,
    confirm,
)
from daemon.unsubscribe import PATH, Subscription, read

(SUPPRESS,) = sql.load(str(Path(__file__).with_name("outbox.py")), "suppress")

MOST_CONNECTIONS = 200
LONGEST_HEAD, LONGEST_BODY = 16 * 1024, 8 * 1024
LONGEST_REQUEST = 10.0
LONGEST_STOP = 2.0

Record = Callable[[Subscription], Awaitable[None]]


def recorder(link: Link) -> Record:
    """Writes to `sexton.suppression`. Raises `DatabaseDown`."""

    async def record(ended: Subscription) -> None:
        await link.fetch(SUPPRESS, [ended.suite], [ended.recipient], [ended.channel], [UNSUBSCRIBED], [None])

    return record


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    content_type: str
    body: bytes


class PublicServer:
    """`secret` is what tokens are signed with; `record` makes a wish last."""

    def __init__(self, secret: str, record: Record, emit: Callable[[Event], None]) -> None:
        self._secret, self._record, self._emit = secret, record, emit
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Serve; returns the port, which matters for port 0. Raises `OSError` if it is taken."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=LONGEST_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no more, and let those being answered have their answer."""
        if self._server is None:
            return
        self._server.close()
        if self._busy:
            _, late = await asyncio.wait(self._busy, timeout=LONGEST_STOP)
            for task in late:
                task.cancel()
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._busy) >= MOST_CONNECTIONS:
            writer.close()
            return
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer. A caller that goes away or dawdles is no news."""
        try:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(LONGEST_REQUEST):
                    writer.write(await self._exchange(reader, writer))
                    await writer.drain()
                    writer.close()
                    await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        try:
            request = await _read(connection, reader, writer)
        except h11.RemoteProtocolError:
            return _written(connection, UNREADABLE)
        return _written(connection, await self._answer(request), without_body=request.method == "HEAD")

    async def _answer(self, request: Request) -> Page:
        path = request.target.partition("?")[0]
        if not path.startswith(PATH) or request.method not in ("GET", "HEAD", "POST"):
            return NOT_FOUND
        subscription = read(self._secret, path.removeprefix(PATH))
        if subscription is None:
            return NOT_FOUND
        if request.method != "POST":  # programs that look at mail ask with HEAD whether a link is good
            return confirm(subscription, path)
        if not asks_to_unsubscribe(request.content_type, request.body):
            return NOT_A_WISH
        return await self._recorded(subscription)

    async def _recorded(self, subscription: Subscription) -> Page:
        """503 while the database is away: the mail service asks again, and a person is told to."""
        try:
            await self._record(subscription)
        except DatabaseDown:
            return TRY_LATER
        except Exception as error:  # noqa: BLE001 - announced; a stranger gets no more than 503
            self._emit(Note("PUBLIC", f"a wish to unsubscribe could not be written: {error}", warning=True))
            return TRY_LATER
        return DONE


async def _read(connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    """One whole request. Raises `h11.RemoteProtocolError` for what is none, or is too long."""
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                writer.write(connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            connection.receive_data(await reader.read(LONGEST_HEAD))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LONGEST_BODY:
                raise h11.RemoteProtocolError("body too long", error_status_hint=413)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            kind = next((value for name, value in head.headers if name == b"content-type"), b"")
            return Request(head.method.decode("ascii"), head.target.decode("ascii"), kind.decode("latin-1"), body)
        else:
            raise h11.RemoteProtocolError("no request")


def _written(connection: h11.Connection, page: Page, *, without_body: bool = False) -> bytes:
    body = page.html.encode()
    headers = [
        ("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body))), ("Connection", "close"),
        *GUARDED, *page.headers,
    ]  # fmt: skip
    events: list[h11.Event] = [h11.Response(status_code=page.status, headers=headers)]
    events += [] if without_body else [h11.Data(data=body)]
    return b"".join(connection.send(event) or b"" for event in [*events, h11.EndOfMessage()])
