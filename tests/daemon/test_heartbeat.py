"""The dead man's switch, on a real HTTP service."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from daemon.events import Event, Note
from daemon.heartbeat import Heartbeat
from tests.daemon.channels.http_service import http_service

SECRET_PATH = "/ping/3f1c"


@asynccontextmanager
async def beating(url: str, reasons: list[str], events: list[Event]) -> AsyncIterator[Heartbeat]:
    heartbeat = Heartbeat(f"{url}{SECRET_PATH}", timedelta(seconds=60), lambda: reasons, events.append)
    try:
        yield heartbeat
    finally:
        await heartbeat.aclose()


async def test_a_healthy_node_fetches_the_url_and_says_nothing() -> None:
    events: list[Event] = []
    with http_service(200, "OK") as service:
        async with beating(service.url, [], events) as heartbeat:
            pause = await heartbeat.step()
            await heartbeat.step()
    assert [(asked.method, asked.path) for asked in service.asked] == [("GET", SECRET_PATH)] * 2
    assert 50 < pause <= 60
    assert events == []


async def test_an_unhealthy_node_is_silent() -> None:
    reasons, events = ["database: refused"], list[Event]()
    with http_service() as service:
        async with beating(service.url, reasons, events) as heartbeat:
            assert 50 < await heartbeat.step() <= 60
            assert service.asked == []
            reasons.clear()
            await heartbeat.step()
    assert len(service.asked) == 1
    assert events == []


async def test_a_failure_is_logged_once_and_so_is_its_end_without_the_secret() -> None:
    events: list[Event] = []
    with http_service() as service:
        service.reply(500, "no")
        service.reply(302, "elsewhere", Location="http://127.0.0.1:1/")
        service.reply(404, "no")
        async with beating(service.url, [], events) as heartbeat:
            for _ in range(5):
                await heartbeat.step()
    notes = [event for event in events if isinstance(event, Note)]
    assert [note.warning for note in notes] == [True, False]
    assert "500" in notes[0].text
    assert not any(SECRET_PATH in note.text for note in notes)


async def test_nobody_there_is_a_failure_and_not_an_error() -> None:
    events: list[Event] = []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        async with beating(f"http://127.0.0.1:{free.getsockname()[1]}", [], events) as heartbeat:
            await heartbeat.step()
            await heartbeat.step()
    assert len(events) == 1
