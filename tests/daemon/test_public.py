"""The public listener, as strangers, mail providers and attackers meet it."""

from __future__ import annotations

import asyncio
import gc
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import pytest

from daemon import public
from daemon.clock import monotonic
from daemon.database import DatabaseDown, Link, Outage
from daemon.doorkeeper import TurnedAway
from daemon.events import Event, Note
from daemon.public import PublicServer, recorder
from daemon.unsubscribe import Subscription, token

SECRET = "correct horse battery staple"
ADA = Subscription("tea", "42", "email")
LINK = f"/u/{token(SECRET, ADA)}"
FORM = {"content-type": "application/x-www-form-urlencoded"}
ONE_CLICK = b"List-Unsubscribe=One-Click"


@dataclass
class Listener:
    """A server on loopback; `ended` are the wishes it has kept, unless `trouble` is raised instead."""

    port: int = 0
    ended: list[Subscription] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    trouble: Exception | None = None

    async def record(self, subscription: Subscription) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.ended.append(subscription)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as client:
            return await client.request(method, path, content=body, headers=headers)

    async def say(self, octets: bytes) -> bytes:
        """Send octets as they are and read all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(octets)
        answer = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        return answer


@asynccontextmanager
async def listening(record: Callable[[Subscription], Awaitable[None]] | None = None) -> AsyncIterator[Listener]:
    listener = Listener()
    server = PublicServer(SECRET, record or listener.record, listener.events.append)
    listener.port = await server.start("127.0.0.1", 0)
    try:
        yield listener
    finally:
        await server.stop()


async def test_get_asks_and_changes_nothing() -> None:
    async with listening() as listener:
        answer = await listener.ask("GET", LINK)
        assert (answer.status_code, listener.ended) == (200, [])
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    form = re.search(r'<form method="post" action="([^"]+)">(.*)</form>', answer.text)
    assert form is not None
    assert form[1] == LINK
    assert 'name="List-Unsubscribe" value="One-Click"' in form[2]
    assert '<button type="submit">' in form[2]
    assert "42" not in answer.text.replace(LINK, "")


async def test_head_finds_the_link_good_and_changes_nothing() -> None:
    async with listening() as listener:
        page, answer = await listener.ask("GET", LINK), await listener.ask("HEAD", LINK)
        assert (answer.status_code, answer.content, listener.ended) == (200, b"", [])
    assert answer.headers["content-length"] == page.headers["content-length"]


async def test_the_button_keeps_the_wish() -> None:
    async with listening() as listener:
        answer = await listener.ask("POST", LINK, ONE_CLICK, **FORM)
        assert (answer.status_code, listener.ended) == (200, [ADA])


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click\r\n"),
        ("application/x-www-form-urlencoded; charset=utf-8", b"a=b&List-Unsubscribe=One-Click"),
        ("", b"List-Unsubscribe=One-Click"),
        (
            "multipart/form-data; boundary=xyz",
            b'--xyz\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--xyz--\r\n',
        ),
    ],
)
async def test_one_click_of_a_mail_provider_is_a_form_of_either_kind(content_type: str, body: bytes) -> None:
    async with listening() as listener:
        answer = await listener.ask("POST", LINK, body, **{"content-type": content_type})
        assert (answer.status_code, listener.ended) == (200, [ADA])


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b""), ("application/x-www-form-urlencoded", b"List-Unsubscribe=Yes"),
        ("application/json", b'{"List-Unsubscribe": "One-Click"}'), ("multipart/form-data; boundary=x", b"nonsense"),
        ("multipart/form-data", ONE_CLICK), ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 50)),
        ("application/x-www-form-urlencoded", b"\xff\xfe\x00"),
    ],
)  # fmt: skip
async def test_another_post_is_no_wish(content_type: str, body: bytes) -> None:
    async with listening() as listener:
        answer = await listener.ask("POST", LINK, body, **{"content-type": content_type})
        assert (answer.status_code, listener.ended) == (400, [])


async def test_whoever_waits_to_be_asked_for_the_body_is_asked() -> None:
    head = f"POST {LINK} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(ONE_CLICK)}\r\nExpect: 100-continue\r\n\r\n"
    async with listening() as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(head.encode())
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60) == b"HTTP/1.1 100 \r\n\r\n"
        writer.write(ONE_CLICK)
        assert (await asyncio.wait_for(reader.read(), 60)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        assert listener.ended == [ADA]


async def test_a_wish_said_twice_is_no_error() -> None:
    async with listening() as listener:
        for _ in range(2):
            assert (await listener.ask("POST", LINK, ONE_CLICK, **FORM)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"), ("GET", "/u/"), ("GET", "/u/abc.def"), ("GET", LINK + "x"), ("GET", LINK[:-1]),
        ("POST", "/u/abc.def"), ("POST", "/"), ("PUT", LINK), ("DELETE", LINK), ("OPTIONS", LINK), ("HEAD", "/"),
        ("HEAD", LINK + "x"),
        ("GET", f"/x{LINK}"), ("GET", "/metrics"), ("GET", "/u/../" + LINK[3:]), ("GET", f"/u/{'a' * 5000}"),
    ],
)  # fmt: skip
async def test_everything_else_is_not_there(method: str, path: str) -> None:
    async with listening() as listener:
        answer = await listener.ask(method, path, ONE_CLICK if method == "POST" else b"", **FORM)
        assert (answer.status_code, listener.ended) == (404, [])


@pytest.mark.parametrize("path", [LINK, "/"])
async def test_every_answer_is_guarded(path: str) -> None:
    async with listening() as listener:
        headers = (await listener.ask("GET", path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["connection"] == "close"
    assert "server" not in headers


async def test_while_the_database_is_away_the_asker_is_told_to_come_back() -> None:
    async with listening() as listener:
        listener.trouble = DatabaseDown("away")
        answer = await listener.ask("POST", LINK, ONE_CLICK, **FORM)
        assert (answer.status_code, answer.headers["retry-after"], listener.events) == (503, "300", [])


async def test_a_wish_that_cannot_be_written_is_announced_and_not_told_to_strangers() -> None:
    async with listening() as listener:
        listener.trouble = RuntimeError("column missing")
        answer = await listener.ask("POST", LINK, ONE_CLICK, **FORM)
        assert answer.status_code == 503
        assert "column missing" not in answer.text
        (event,) = listener.events
    assert isinstance(event, Note)
    assert (event.warning, "column missing" in event.text) == (True, True)


@pytest.mark.parametrize(
    "octets",
    [
        b"\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",  # the last has no Host
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"y" * 40_000 + b"\r\n\r\n",
    ],
)  # fmt: skip
async def test_what_is_no_request_gets_400_or_nothing(octets: bytes) -> None:
    async with listening() as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(octets)
        writer.write_eof()
        answer = await asyncio.wait_for(read_all(reader), 60)
        writer.close()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
        assert (await listener.ask("GET", LINK)).status_code == 200


async def read_all(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:  # it had not read everything when it closed
        return b""


async def test_a_body_too_long_is_not_read_to_its_end() -> None:
    async with listening() as listener:
        head = f"POST {LINK} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n".encode()
        answer = await listener.say(head + b"x" * 10_000)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert listener.ended == []


async def test_a_second_request_on_the_connection_is_not_answered() -> None:
    async with listening() as listener:
        answer = await listener.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
        assert answer.count(b"HTTP/1.1 404 ") == 1


async def test_one_who_dawdles_is_cut_off_and_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "LONGEST_REQUEST", 0.3)
    async with listening() as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET /u/ HTT")
        assert (await listener.ask("GET", LINK)).status_code == 200
        assert await asyncio.wait_for(read_all(reader), 60) == b""
        writer.close()


async def test_more_connections_than_it_holds_are_told_to_come_again_and_beyond_that_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(public, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(public, "MOST_TURNED_AWAY", 2)
    monkeypatch.setattr(public, "LONGEST_LEAVE", 600)
    monkeypatch.setattr(public, "LONGEST_REQUEST", 600)
    monkeypatch.setattr(public, "LONGEST_SILENCE", 600)
    async with listening() as listener:
        connected = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(6)]
        answers = []
        for reader, writer in connected[3:]:
            with suppress(OSError):
                writer.write(f"GET {LINK} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            answers.append(await asyncio.wait_for(read_all(reader), 60))
        assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 503 ", b"HTTP/1.1 503 ", b""]
        assert b"retry-after: 10\r\n" in answers[0].lower()
        assert [event for event in listener.events if isinstance(event, TurnedAway)] == [TurnedAway("public")] * 3
        assert [event.text for event in listener.events if isinstance(event, Note)] == [
            "3 connections at once: whoever comes now is told to come again"
        ]
        for _, writer in connected:
            writer.close()


async def test_whoever_says_nothing_makes_room_for_the_next_and_who_is_being_answered_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(public, "MOST_CONNECTIONS", 2)
    monkeypatch.setattr(public, "LONGEST_REQUEST", 600)
    monkeypatch.setattr(public, "LONGEST_SILENCE", 0)
    async with listening() as listener:
        silent = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]
        assert (await listener.ask("GET", LINK)).status_code == 200
        assert await asyncio.wait_for(read_all(silent[0][0]), 60) == b""
        assert [event for event in listener.events if isinstance(event, TurnedAway)] == [TurnedAway("public")]
        silent[1][1].write(f"GET {LINK} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert (await asyncio.wait_for(read_all(silent[1][0]), 60)).startswith(b"HTTP/1.1 200 ")
        for _, writer in silent:
            writer.close()


async def test_there_is_room_again_when_those_who_were_here_have_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "MOST_CONNECTIONS", 1)
    monkeypatch.setattr(public, "LONGEST_LEAVE", 600)
    monkeypatch.setattr(public, "LONGEST_REQUEST", 600)
    monkeypatch.setattr(public, "LONGEST_SILENCE", 600)
    async with listening() as listener:
        _, holding = await asyncio.open_connection("127.0.0.1", listener.port)
        assert (await listener.ask("GET", LINK)).status_code == 503
        holding.close()
        async with asyncio.timeout(60):
            while (await listener.ask("GET", LINK)).status_code != 200:
                await asyncio.sleep(0.01)


async def test_a_caller_that_goes_away_is_no_news() -> None:
    async with listening() as listener:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", listener.port)) as caller:
                caller.sendall(f"GET {LINK} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert (await listener.ask("GET", LINK)).status_code == 200
        assert listener.events == []


async def test_a_caller_that_hangs_up_without_asking_leaves_no_error() -> None:
    errors: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with listening() as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write_eof()
        assert await asyncio.wait_for(read_all(reader), 60) == b""
        writer.close()
    gc.collect()
    assert errors == []


async def test_stopping_is_quick_and_frees_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "LONGEST_REQUEST", 3600)
    server = PublicServer(SECRET, Listener().record, list[Event]().append)
    port = await server.start("127.0.0.1", 0)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET")
    await writer.drain()
    began = monotonic()
    await server.stop()
    writer.close()
    assert monotonic() - began < public.LONGEST_STOP + 60
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    async with listening() as listener:
        second = PublicServer(SECRET, listener.record, listener.events.append)
        with pytest.raises(OSError, match="ddress already in use"):
            await second.start("127.0.0.1", listener.port)
        await second.stop()


async def test_a_wish_is_a_row_that_stops_what_can_be_refused(url: str, connection: asyncpg.Connection) -> None:
    link = Link(lambda: url, lambda: "test", Outage(list[Event]().append), statement_cache=0)
    async with listening(recorder(link)) as listener:
        for _ in range(2):
            assert (await listener.ask("POST", LINK, ONE_CLICK, **FORM)).status_code == 200
    await link.close()
    rows = await connection.fetch("SELECT suite, recipient, channel, reason, address FROM sexton.suppression")
    assert [tuple(row) for row in rows] == [("tea", "42", "email", "unsubscribed", None)]
