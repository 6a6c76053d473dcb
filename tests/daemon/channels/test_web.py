"""One request, and every way in which it can end."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.channels.web import Answer, NoAnswer, Web, retry_after
from tests.daemon.channels.http_service import DROP, HANG, http_service

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30), ("0", 0), ("1.5", 1.5), ("-3", 0), ("1e9", 86400), ("Sun, 22 Nov 2026 12:01:00 GMT", 60),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0), ("Sun, 22 Nov 2026 12:01:00", 60),
    ],
)  # fmt: skip
def test_a_wait_is_seconds_or_a_date_and_never_longer_than_a_day(header: str, seconds: float) -> None:
    assert retry_after(header, NOON) == timedelta(seconds=seconds)


@pytest.mark.parametrize("header", ["", "soon", "nan", "Sun, 99 Foo"])
def test_another_wait_is_none(header: str) -> None:
    assert retry_after(header, NOON) is None


@given(st.text() | st.floats().map(str))
def test_no_header_breaks_the_reading_of_it(header: str) -> None:
    wait = retry_after(header, NOON)
    assert wait is None or timedelta(0) <= wait <= timedelta(days=1)


async def test_an_answer_has_its_body_as_text_and_as_an_object() -> None:
    with http_service(200, {"sid": "SM1"}) as service:
        web = Web(timedelta(seconds=5))
        answer = await web.request("GET", service.url)
        service.reply(404, "gone\r\naway")
        gone = await web.request("GET", service.url)
        await web.aclose()
    assert isinstance(answer, Answer)
    assert (answer.status, answer.json) == (200, {"sid": "SM1"})
    assert isinstance(gone, Answer)
    assert (gone.json, gone.detail) == ({}, "404 gone away")


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with http_service(200) as service:
        service.reply(302, "", Location=f"{service.url}/elsewhere")
        web = Web(timedelta(seconds=5))
        answer = await web.request("POST", service.url, json={})
        await web.aclose()
        assert isinstance(answer, Answer)
        assert (answer.status, len(service.asked)) == (302, 1)


@pytest.mark.parametrize("reply", [HANG, DROP])
async def test_what_was_sent_and_not_answered_is_told_from_what_was_not_sent(reply: str) -> None:
    with http_service() as service:
        service.replies.append(reply)
        web = Web(timedelta(seconds=0.2))
        answer = await asyncio.wait_for(web.request("POST", service.url, json={}), 60)
        await web.aclose()
    assert isinstance(answer, NoAnswer)
    assert not answer.nothing_sent
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        refused = await web.request("POST", f"http://127.0.0.1:{nobody.getsockname()[1]}", json={})
        await web.aclose()
    assert isinstance(refused, NoAnswer)
    assert refused.nothing_sent


async def test_an_answer_that_trickles_ends_with_the_patience() -> None:
    """httpx's own limit starts anew with every octet."""

    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        except OSError:
            writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    web = Web(timedelta(seconds=0.1))
    answer = await asyncio.wait_for(web.request("GET", f"http://127.0.0.1:{port}"), 60)
    await web.aclose()
    server.close()
    await server.wait_closed()
    assert isinstance(answer, NoAnswer)
    assert not answer.nothing_sent
