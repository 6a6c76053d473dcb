"""The `[public]` listener: the one socket that strangers may reach. It serves the links to unsubscribe, and the hooks
that suites declare; nothing else.

One request a connection, few octets, little time; what is no signed link and no hook gets 404, so that nothing can be
learnt.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h11

from daemon import sql
from daemon.database import DatabaseDown, Link
from daemon.delivery_rules import UNSUBSCRIBED
from daemon.doorkeeper import Doorkeeper
from daemon.events import Event, Note
from daemon.hook_desk import TOO_LONG as TOO_LONG_FOR_A_HOOK
from daemon.hook_desk import HookDesk, Reply
from daemon.public_pages import (
    DONE,
    GUARDED,
    NOT_A_WISH,
    NOT_FOUND,
    TOO_LONG,
    TOO_MANY,
    TRY_LATER,
    UNREADABLE,
    Page,
    asks_to_unsubscribe,
    confirm,
)
from daemon.unsubscribe import PATH, Subscription, read

(SUPPRESS,) = sql.load(str(Path(__file__).with_name("outbox.py")), "suppress")

MOST_CONNECTIONS, MOST_TURNED_AWAY = 200, 200
LONGEST_HEAD, LONGEST_BODY = 16 * 1024, 8 * 1024
LONGEST_REQUEST, LONGEST_SILENCE = 10.0, 1.0
LONGEST_STOP = 2.0
LONGEST_LEAVE, MOST_UNREAD = 1.0, 4 * 1024 * 1024
"""For hearing out whoever is told that it is too long: closed at once, the line would lose the answer."""

Record = Callable[[Subscription], Awaitable[None]]


def recorder(link: Link) -> Record:
    """Writes to `sexton.suppression`. Raises `DatabaseDown`."""

    async def record(ended: Subscription) -> None:
        await link.fetch(SUPPRESS, [ended.suite], [ended.recipient], [ended.channel], [UNSUBSCRIBED], [None])

    return record


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` by their names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


class TooLong(Exception):
    """The body, for this path."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class PublicServer:
    """`secret` is what tokens are signed with; `record` makes a wish last; `desk` answers suites' hooks."""

    def __init__(
        self, secret: str, record: Record, emit: Callable[[Event], None], desk: HookDesk | None = None
    ) -> None:
        self._secret, self._record, self._emit, self._desk = secret, record, emit, desk
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None]] = set()
        self._silent: dict[asyncio.Task[None], tuple[float, asyncio.StreamWriter]] = {}
        self._turned_away: set[asyncio.Task[None]] = set()
        self._doorkeeper = Doorkeeper("public", MOST_CONNECTIONS, emit)

    async def start(self, host: str, port: int) -> int:
        """Serve; returns the port, which matters for port 0. Raises `OSError` if it is taken."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=LONGEST_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no more, and let those being answered have their answer."""
        if self._server is None:
            return
        self._server.close()
        for task in self._turned_away:
            task.cancel()
        if self._busy:
            _, late = await asyncio.wait(self._busy, timeout=LONGEST_STOP)
            for task in late:
                task.cancel()
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._busy) < MOST_CONNECTIONS or self._made_room():
            task = _kept_in(self._busy, self._serve(reader, writer))
            self._silent[task] = (asyncio.get_running_loop().time(), writer)
            task.add_done_callback(lambda done: self._silent.pop(done, None))
            return
        self._doorkeeper.turn_away()
        if len(self._turned_away) < MOST_TURNED_AWAY:
            _kept_in(self._turned_away, _turn_away(reader, writer))
        else:
            writer.close()

    def _made_room(self) -> bool:
        """Whoever has said nothing whole for longest leaves, if it had time to: saying nothing locks nobody out."""
        if not self._silent:
            return False
        task, (since, writer) = next(iter(self._silent.items()))
        if asyncio.get_running_loop().time() - since < LONGEST_SILENCE:
            return False
        self._doorkeeper.turn_away()
        writer.transport.abort()  # a task that has not begun yet would not
        task.cancel()
        self._busy.discard(task)
        del self._silent[task]
        return True

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
            request = await _read(connection, reader, writer, self._longest_body)
        except h11.RemoteProtocolError:
            gone = connection.our_state is h11.MUST_CLOSE  # it has hung up without asking anything
            return b"" if gone else _written(connection, UNREADABLE)
        except TooLong as error:
            writer.write(_written(connection, self._too_long(error.path)))
            await _heard_out(reader)
            return b""
        self._silent.pop(asyncio.current_task(), None)  # type: ignore[arg-type]  # there is one: this
        return _written(connection, await self._answer(request), without_body=request.method == "HEAD")

    def _longest_body(self, path: str) -> int:
        return (self._desk and self._desk.longest_body(path)) or LONGEST_BODY

    def _too_long(self, path: str) -> Page | Reply:
        if self._desk is None or self._desk.longest_body(path) is None:
            return TOO_LONG
        return self._desk.counted(path, TOO_LONG_FOR_A_HOOK)

    async def _answer(self, request: Request) -> Page | Reply:
        path = request.path
        if self._desk is not None and self._desk.longest_body(path) is not None:
            return await self._desk.answer(path, request.method, request.headers, request.body)
        if not path.startswith(PATH) or request.method not in ("GET", "HEAD", "POST"):
            return NOT_FOUND
        subscription = read(self._secret, path.removeprefix(PATH))
        if subscription is None:
            return NOT_FOUND
        if request.method != "POST":  # programs that look at mail ask with HEAD whether a link is good
            return confirm(subscription, path)
        if not asks_to_unsubscribe(request.headers.get("content-type", ""), request.body):
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


def _kept_in(tasks: set[asyncio.Task[None]], coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.ensure_future(coroutine)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


async def _turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Told so instead of cut off: a caller that knows why comes again, and its own log says when we were full."""
    try:
        with contextlib.suppress(OSError):
            writer.write(_written(h11.Connection(h11.SERVER), TOO_MANY))
            writer.write_eof()
            await _heard_out(reader)
    finally:
        writer.transport.abort()


async def _read(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    longest_body: Callable[[str], int],
) -> Request:  # fmt: skip
    """One whole request. Raises `h11.RemoteProtocolError` for what is none, and `TooLong`."""
    request: Request | None = None
    longest, body = LONGEST_BODY, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                writer.write(connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            connection.receive_data(await reader.read(LONGEST_HEAD))
        elif isinstance(event, h11.Request):
            request = _begun(event)
            longest = longest_body(request.path)
            if int(request.headers.get("content-length", 0)) > longest:  # h11 has seen that it is a number
                raise TooLong(request.path)
        elif isinstance(event, h11.Data):
            body += event.data
            if request is not None and len(body) > longest:
                raise TooLong(request.path)
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            return replace(request, body=bytes(body))
        else:
            raise h11.RemoteProtocolError("no request")


def _begun(head: h11.Request) -> Request:
    """Without a body so far. By `raw_items`, a list: h11's own iteration is a tenth of what a call costs."""
    return Request(
        head.method.decode("ascii"),
        head.target.decode("ascii").partition("?")[0],
        {name.decode("ascii").lower(): value.decode("latin-1") for name, value in head.headers.raw_items()},
    )


async def _heard_out(reader: asyncio.StreamReader) -> None:
    left = MOST_UNREAD
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_LEAVE):
            while left > 0 and (octets := await reader.read(LONGEST_HEAD)):
                left -= len(octets)


def _written(connection: h11.Connection, page: Page | Reply, *, without_body: bool = False) -> bytes:
    body = page.octets
    headers = [
        ("Content-Type", page.content_type), ("Content-Length", str(len(body))), ("Connection", "close"),
        *GUARDED, *page.headers,
    ]  # fmt: skip
    events: list[h11.Event] = [h11.Response(status_code=page.status, headers=headers)]
    events += [] if without_body else [h11.Data(data=body)]
    return b"".join(connection.send(event) or b"" for event in [*events, h11.EndOfMessage()])
