"""The emergency stop over HTTP: an operator may stop, an administrator ends it."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx

from daemon.events import RunStarted
from daemon.job import Context
from daemon.schedule import OnDemand
from tests.daemon.actions_house import audit, run_of
from tests.daemon.admin.house import house
from tests.daemon.harness import a_job, node

STOP = "/api/v1/emergency-stop"


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


async def test_a_stop_through_one_node_ends_what_another_runs(url: str, connection: asyncpg.Connection) -> None:
    async def body(ctx: Context) -> None:
        await asyncio.sleep(60)

    job = a_job(body, OnDemand(), "test.long")
    async with house(url, job, claiming=False) as h, node(url, job, home="/tmp/sexton-test-other") as other:
        assert good(await h.viewer.get(STOP)) == {"stopped": False, "by": None, "at": None, "reason": None}
        run = good(await h.operator.post("/api/v1/jobs/test.long/run"))["run"]
        await other.event(RunStarted, lambda e: e.run == run)
        begun = good(await h.operator.post(STOP, json={"reason": "wrong rates"}))
        assert (begun["running"], begun["already"], begun["by"]) == ([run], False, "otto")
        async with asyncio.timeout(60):
            while (await run_of(connection, run))["state"] != "cancelled":
                await asyncio.sleep(0.01)
        refused = await h.operator.post("/api/v1/jobs/test.long/run")
        assert (refused.status_code, "everything is stopped" in refused.json()["detail"]) == (409, True)
        assert good(await h.viewer.get(STOP))["reason"] == "wrong rates"
        assert (await h.operator.post(f"{STOP}/resume")).status_code == 403
        ended = good(await h.admin.post(f"{STOP}/resume", json={"retry": True}))
        assert ended == {"cancelled": [run], "retried": True, "released": []}
        await other.event(RunStarted, lambda e: e.run == run, count=2)
        assert (await h.admin.post(f"{STOP}/resume")).status_code == 409
        assert [(r["action"], r["who"]) for r in await audit(connection) if r["target"] == "everything"] == [
            ("emergency stop", "otto"), ("end emergency stop", "ada"),
        ]  # fmt: skip
