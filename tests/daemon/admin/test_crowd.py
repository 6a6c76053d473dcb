"""How many may ask at once, and how long a connection stays that asks nothing."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from daemon.admin import crowd
from daemon.admin.crowd import Crowd
from daemon.doorkeeper import TurnedAway
from tests.daemon.admin.house import House, house

HALF_A_HEAD = b"GET /login HTTP/1.1\r\nHost: a\r\n"


async def connected(h: House) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", httpx.URL(h.base).port)


async def test_a_connection_that_never_says_what_it_wants_is_closed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(url) as h:
        monkeypatch.setattr(crowd, "LONGEST_HEAD", 0.05)
        for said in (b"", HALF_A_HEAD):
            reader, writer = await connected(h)
            writer.write(said)
            assert await asyncio.wait_for(reader.read(), 60) == b""
            writer.close()


async def test_one_that_was_answered_may_not_dawdle_over_its_next_request(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(url) as h:
        reader, writer = await connected(h)
        writer.write(HALF_A_HEAD + b"\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
        await asyncio.wait_for(reader.readexactly(int(length[16:])), 60)
        monkeypatch.setattr(crowd, "LONGEST_HEAD", 0.05)
        writer.write(HALF_A_HEAD)
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()


async def test_what_is_no_http_is_a_line_with_an_address_and_no_warning(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(url) as h:
        with caplog.at_level(logging.INFO, "sexton.admin"):
            reader, writer = await connected(h)
            writer.write(b"\x16\x03\x01 hello\r\n\r\n")
            assert (await asyncio.wait_for(reader.read(), 60)).startswith(b"HTTP/1.1 400 ")
            writer.close()
    said = [(record.levelname, record.getMessage()) for record in caplog.records if "HTTP" in record.getMessage()]
    assert said == [("INFO", "what 127.0.0.1 sent is no HTTP request")]


async def test_beyond_all_bounds_whoever_has_dawdled_longest_makes_room_and_is_counted(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(url) as h:
        monkeypatch.setattr(crowd, "MOST_REQUESTS", 1)
        monkeypatch.setattr(crowd, "MOST_IDLE", 1)
        ends = [await connected(h) for _ in range(3)]
        assert await asyncio.wait_for(ends[0][0].read(), 60) == b""
        for reader, writer in ends[1:]:
            writer.write(HALF_A_HEAD + b"\r\n")
            assert (await asyncio.wait_for(reader.readline(), 60)).startswith(b"HTTP/1.1 200 ")
        assert [event for event in h.node.events if isinstance(event, TurnedAway)] == [TurnedAway("admin")]
        for _, writer in ends:
            writer.close()


async def test_who_comes_while_as_many_are_answered_as_may_be_is_told_to_come_again() -> None:
    begun, go_on, turned_away = asyncio.Event(), asyncio.Event(), []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    full = httpx.ASGITransport(Crowd(app, lambda: turned_away.append(1), most=1))
    async with httpx.AsyncClient(transport=full, base_url="http://a") as client:
        first = asyncio.create_task(client.get("/api/v1/jobs"))
        await begun.wait()
        second = await client.get("/api/v1/jobs")
        assert (second.status_code, second.headers["retry-after"]) == (503, "2")
        assert second.headers["content-type"] == "application/problem+json"
        assert turned_away == [1]
        go_on.set()
        assert (await first).status_code == 204
        assert (await client.get("/api/v1/jobs")).status_code == 204
