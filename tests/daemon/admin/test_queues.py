"""Queues over HTTP: depths, dead items in pages; requeued and discarded, one, many, or all that match."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx

from tests.daemon.actions_house import audit
from tests.daemon.admin.house import House, house
from tests.daemon.admin.todo import QUEUE, fill

TODO = f"/api/v1/queues/{QUEUE.name}"


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


@asynccontextmanager
async def kitchen(url: str, connection: asyncpg.Connection) -> AsyncIterator[House]:
    await fill(connection)
    async with house(url, queues=(QUEUE,)) as opened:
        yield opened


async def test_a_queue_tells_its_depth_and_its_dead_items(url: str, connection: asyncpg.Connection) -> None:
    async with kitchen(url, connection) as h:
        (depth,) = good(await h.viewer.get("/api/v1/queues"))
        assert (depth["name"], depth["ready"], depth["running"], depth["dead"]) == (QUEUE.name, 2, 0, 5)
        assert depth["oldest_age_s"] >= 0
        first = good(await h.viewer.get(f"{TODO}/items", params={"limit": 3}))
        rest = good(await h.viewer.get(f"{TODO}/items", params={"limit": 3, "cursor": first["next"]}))
        assert [item["key"] for item in first["items"] + rest["items"]] == [1, 2, 3, 4, 5]
        matching = good(await h.viewer.get(f"{TODO}/items", params={"error": "100% empty"}))
        assert [item["key"] for item in matching["items"]] == [2, 4]
        assert len(good(await h.viewer.get(f"{TODO}/items", params={"state": "READY"}))["items"]) == 2


async def test_dead_items_are_tried_again_one_many_or_all_that_match(url: str, connection: asyncpg.Connection) -> None:
    async with kitchen(url, connection) as h:
        one = await h.operator.post(f"{TODO}/requeue", json={"keys": [1, 6], "reason": "mended"})
        assert good(one) == {"keys": [1], "more": False}
        matching = await h.operator.post(f"{TODO}/requeue", json={"error": "OutOfTea"})
        assert good(matching)["keys"] == [2, 4]
        assert good(await h.operator.post(f"{TODO}/requeue", json={"all": True}))["keys"] == [3, 5]
        assert await connection.fetchval("SELECT count(*) FROM todo WHERE state = 'READY' AND failures = 0") == 7
        entries = [row for row in await audit(connection) if row["action"] == "retry items"]
        assert [(row["who"], row["after"]["keys"]) for row in entries] == [
            ("otto", [1]), ("otto", [2, 4]), ("otto", [3, 5]),
        ]  # fmt: skip


async def test_what_is_discarded_is_kept_whole_in_the_audit(url: str, connection: asyncpg.Connection) -> None:
    async with kitchen(url, connection) as h:
        answer = await h.operator.post(f"{TODO}/discard", json={"keys": [2, 6, 77], "reason": "a test order"})
        assert good(answer) == {"keys": [2], "more": False}
        assert await connection.fetchval("SELECT count(*) FROM todo") == 6
        (entry,) = [row for row in await audit(connection) if row["action"] == "discard items"]
        assert (entry["target"], entry["before"]["payload"], entry["reason"]) == (
            "public.todo 2", "item 2", "a test order",
        )  # fmt: skip


async def test_which_items_has_to_be_said(url: str, connection: asyncpg.Connection) -> None:
    async with kitchen(url, connection) as h:
        for body in ({}, {"keys": [1], "all": True}, {"keys": []}, {"error": ""}, {"all": 1}, {"every": True}):
            answer = await h.operator.post(f"{TODO}/discard", json=body)
            assert answer.status_code == 422, body
        assert await connection.fetchval("SELECT count(*) FROM todo") == 7


async def test_a_queue_there_is_none_of_and_one_whose_table_is_gone(url: str, connection: asyncpg.Connection) -> None:
    async with kitchen(url, connection) as h:
        answer = await h.viewer.get("/api/v1/queues/public.tidy")
        assert (answer.status_code, answer.json()["detail"].startswith("there is no queue 'public.tidy'")) == (
            404,
            True,
        )
        await connection.execute("ALTER TABLE public.todo RENAME TO done")
        gone = await h.viewer.get(TODO)
        await connection.execute("ALTER TABLE public.done RENAME TO todo")
        assert (gone.status_code, "run: sexton migrate" in gone.json()["detail"]) == (503, True)
