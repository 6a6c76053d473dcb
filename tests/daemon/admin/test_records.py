"""What is looked up: the audit, statistics, tokens, nodes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from daemon.admin.roles import Role
from daemon.jsonable import to_json
from tests.daemon.actions_house import MONEY, TICK, add_run
from tests.daemon.admin.house import House, house

AUDIT, STATS = "/api/v1/audit", "/api/v1/stats"


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def test_the_audit_is_searched_by_who_what_and_when(url: str) -> None:
    async with house(url, MONEY, TICK) as h:
        await h.operator.post("/api/v1/jobs/test.tick/pause", json={"reason": "noise"})
        await h.admin.post("/api/v1/jobs/test.tick/resume")
        (mine,) = good(await h.viewer.get(AUDIT, params={"who": "otto"}))["items"]
        assert (mine["action"], mine["target"], mine["reason"]) == ("pause", "test.tick", "noise")
        assert (mine["before"], mine["after"]) == ({"paused_by": None}, {"paused_by": "otto"})
        both = good(await h.viewer.get(AUDIT, params={"target": "test.tick", "limit": 1}))
        assert both["items"][0]["who"] == "ada"
        rest = good(await h.viewer.get(AUDIT, params={"target": "test.tick", "cursor": both["next"]}))
        assert [entry["who"] for entry in rest["items"]] == ["otto"]
        assert good(await h.viewer.get(AUDIT, params={"until": "2001-01-01T00:00:00Z"}))["items"] == []


async def test_statistics_are_those_of_the_window(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, MONEY, TICK, claiming=False) as h:
        now = await connection.fetchval("SELECT sexton.clock()")
        for n in range(100):  # they took 1 to 100 seconds and began 0 to 9.9 seconds late
            due = now - timedelta(minutes=n + 1)
            began = due + timedelta(seconds=n / 10)
            await add_run(
                connection, TICK, "failed" if n % 4 == 0 else "succeeded", due_at=due, started_at=began, daily=False,
                finished_at=began + timedelta(seconds=n + 1),
            )  # fmt: skip
        await add_run(connection, TICK, "missed", due_at=now - timedelta(minutes=30.5), count=3, daily=False)
        await add_run(connection, TICK, "succeeded", due_at=now - timedelta(days=2), daily=False)
        (hourly,) = [s for s in good(await h.viewer.get(STATS, params={"window": "1h"})) if s["job"] == "test.tick"]
        assert (hourly["succeeded"], hourly["failed"], hourly["missed"]) == (44, 15, 3)
        (stats,) = good(await h.viewer.get(STATS, params={"window": "1d", "job": "test.tick"}))
        assert (stats["instants"], stats["succeeded"], stats["failed"], stats["success_rate"]) == (103, 75, 25, 0.75)
        assert stats["duration_s"] == pytest.approx({"p50": 50.5, "p95": 95.05, "p99": 99.01})
        assert stats["lateness_s"] == pytest.approx({"p50": 4.95, "p95": 9.405, "p99": 9.801})
        for window in ("0s", "93d", "soon", ""):
            assert (await h.viewer.get(STATS, params={"window": window})).status_code == 422


async def test_an_administrator_sees_and_revokes_tokens(open_house: House) -> None:
    listed = good(await open_house.admin.get("/api/v1/tokens"))
    assert {row["name"]: row["role"] for row in listed} == {"vera": "viewer", "otto": "operator", "ada": "admin"}
    vera = next(row["id"] for row in listed if row["name"] == "vera")
    good(await open_house.admin.delete(f"/api/v1/tokens/{vera}", params={"reason": "left"}))
    assert (await open_house.viewer.get("/api/v1/me")).status_code == 401
    assert (await open_house.admin.delete(f"/api/v1/tokens/{vera}")).status_code == 404
    assert (await open_house.admin.delete(f"/api/v1/tokens/{uuid4()}")).status_code == 404
    assert len(good(await open_house.admin.get("/api/v1/tokens"))) == 2
    await open_house.token(Role.OPERATOR, "otto")
    good(await open_house.admin.delete("/api/v1/tokens/otto"))
    assert [row["name"] for row in good(await open_house.admin.get("/api/v1/tokens"))] == ["ada"]
    assert len(good(await open_house.admin.get("/api/v1/tokens", params={"all": True}))) == 4


async def test_a_node_tells_what_it_last_said_of_itself(open_house: House, connection: asyncpg.Connection) -> None:
    said = {
        "running": [{"run": 1, "job": "a.b", "due_at": "2026-11-20T00:00:00+00:00", "attempt": 1, "seconds": 2.5,
                     "done": 3, "total": None}],
        "slots": {"size": 20, "used": 1}, "pool": {"size": 5, "busy": 1, "idle": 0, "starting": 0, "died": 2},
        "loop_lag_ms": 1.5, "listening": True, "draining": False,
    }  # fmt: skip
    await open_house.node.engine.lease.publish(to_json(said))
    (node,) = good(await open_house.viewer.get("/api/v1/nodes"))
    assert (node["alive"], node["slots"], node["slots_used"], node["running"][0]["done"]) == (True, 20, 1, 3)
    (workers,) = good(await open_house.viewer.get("/api/v1/workers"))
    assert (workers["busy"], workers["died"], workers["node"]) == (1, 2, node["name"])


async def test_questions_of_many_at_once_do_not_hold_the_loop_up(url: str, connection: asyncpg.Connection) -> None:
    """Twenty ask at once for more than there are connections; the loop keeps turning meanwhile."""
    async with house(url, MONEY, TICK, claiming=False) as h:
        await connection.execute(
            "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, not_before, started_at, finished_at) "
            "SELECT 'test.tick', now() - n * interval '1 minute', current_date, 'schedule', 'succeeded', now(), now(), "
            "now() FROM generate_series(1, 50000) n"
        )
        turns = 0
        over = asyncio.Event()

        async def turning() -> None:
            nonlocal turns
            while not over.is_set():
                await asyncio.sleep(0)
                turns += 1

        counting = asyncio.create_task(turning())
        answers = await asyncio.gather(
            *(h.viewer.get(STATS, params={"window": "60d"}) for _ in range(10)),
            *(h.viewer.get("/api/v1/runs", params={"limit": 50}) for _ in range(10)),
        )
        over.set()
        await counting
        assert {answer.status_code for answer in answers} <= {200, 503}
        assert turns > 20 * len(answers)
