"""Streams of what changes: one reading for all who watch, a change at once, an end when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from daemon.admin import live
from daemon.admin.database import TooBusy
from daemon.admin.live import Live, Part
from daemon.database import DatabaseDown
from tests.daemon.actions_house import TICK, add_run
from tests.daemon.admin.house import House


async def messages(answer: httpx.Response) -> AsyncIterator[tuple[str, str]]:
    """(id, data) of each event that has data."""
    mark, data = "", []
    async for line in answer.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "id":
            mark = value
        elif field == "data":
            data.append(value)
        elif not line and data:
            yield mark, "\n".join(data)
            mark, data = "", []


async def until(stream: AsyncIterator[tuple[str, str]], wanted: str, unless: str = "nothing of the kind") -> str:
    """The id of the event with these words. `unless`: words that no event before it may have."""
    async for mark, data in stream:
        if wanted in data:
            return mark
        assert unless not in data
    raise AssertionError(f"the stream ended without {wanted}")


async def test_what_changes_is_seen_by_everybody_who_watches(open_house: House, connection: asyncpg.Connection) -> None:
    async with (
        open_house.viewer.stream("GET", "/live/overview") as first,
        open_house.admin.stream("GET", "/live/overview") as second,
    ):
        assert first.headers["content-type"].startswith("text/event-stream")
        streams = messages(first), messages(second)
        for stream in streams:
            await until(stream, "Nothing. Every due instant")
        run = await add_run(connection, TICK, "held")
        for stream in streams:
            await until(stream, f"/runs/{run}")


async def test_whoever_has_seen_it_is_not_sent_it_again(open_house: House) -> None:
    async with open_house.viewer.stream("GET", "/live/stop") as answer:
        mark = await until(messages(answer), "Emergency stop")
    async with open_house.viewer.stream("GET", "/live/stop", headers={"Last-Event-ID": mark}) as answer:
        waiting = asyncio.ensure_future(until(messages(answer), "a fire", unless='id="stop"'))
        stopped = await open_house.operator.post("/api/v1/emergency-stop", json={"reason": "a fire"})
        assert stopped.status_code == 200
        await waiting


async def test_where_no_stream_gets_through_the_moment_can_be_asked_for(open_house: House) -> None:
    answer = await open_house.viewer.get("/live/overview?once")
    assert answer.headers["content-type"].startswith("text/html")
    assert "Needs attention" in answer.text


async def test_a_stopping_server_ends_every_stream(open_house: House) -> None:
    async with open_house.viewer.stream("GET", "/live/overview") as answer:
        stream = messages(answer)
        await anext(stream)
        open_house.state.leaving.set()
        async for _ in stream:
            pass


async def test_many_who_watch_cost_one_reading_and_the_last_to_go_ends_it() -> None:
    asked = 0

    async def render() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return "always the same"

    hub = Live()
    streams = [hub.events({"here": Part("same", render, 3600.0)}, {}) for _ in range(50)]
    for stream in streams:
        while "always the same" not in await anext(stream):
            pass
    assert asked == 1
    for stream in streams:
        await stream.aclose()
    assert not hub._watched


async def test_a_reading_that_fails_is_told_to_the_log_and_tried_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "AFTER_FAULT", 0.01)
    failing = True

    async def render() -> str:
        if failing:
            raise RuntimeError("a bad template")
        return "better"

    stream = Live().events({"here": Part("one", render, 0.01)}, {})
    assert [await anext(stream), await anext(stream)] == ["retry: 100\n\n", live.OLD]
    waiting = asyncio.ensure_future(anext(stream))
    assert "a bad template" in caplog.text
    failing = False
    assert "better" in await waiting
    await stream.aclose()


@pytest.mark.parametrize("trouble", [DatabaseDown("gone"), TooBusy("too long")])
async def test_who_watches_is_told_that_it_may_be_old_and_that_it_is_not_any_more(trouble: Exception) -> None:
    """Though nothing else has changed: a page that stands still looks like one on which all is well."""
    away = False

    async def render() -> str:
        if away:
            raise trouble
        return "always the same"

    stream = Live().events({"here": Part("one", render, 0.01)}, {})
    while "always the same" not in await anext(stream):
        pass
    away = True
    assert await anext(stream) == live.OLD
    away = False
    assert await anext(stream) == live.BEAT
    await stream.aclose()


async def test_only_who_is_logged_in_may_watch(open_house: House) -> None:
    assert (await open_house.client(None).get("/live/overview")).status_code == 401
