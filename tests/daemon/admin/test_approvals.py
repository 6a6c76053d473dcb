"""Two persons over HTTP: whoever asks gets the number of an approval, somebody else agrees."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx

from daemon.admin.roles import Role
from daemon.admin_settings import AdminSettings
from tests.daemon.actions_house import AFTER, MONEY, TICK, add_run, run_of
from tests.daemon.admin.house import house

TWO = AdminSettings(listen="127.0.0.1:0", two_person=True)
WHY = {"reason": "rates were wrong"}
APPROVALS = "/api/v1/approvals"


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


async def test_a_sensitive_re_run_waits_for_somebody_else(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, MONEY, AFTER, TICK, settings=TWO, claiming=False) as h:
        run = await add_run(connection, MONEY, "failed")
        asked = await h.operator.post(f"/api/v1/runs/{run}/retry", json=WHY)
        assert (asked.status_code, asked.json()["run"]) == (202, None)
        number = asked.json()["approval"]
        (waiting,) = good(await h.viewer.get(APPROVALS))["items"]
        assert (waiting["id"], waiting["asked_by"], waiting["payload"]) == (number, "otto", {"runs": [run]})
        alone = await h.operator.post(f"{APPROVALS}/{number}/approve")
        assert (alone.status_code, "you asked for it" in alone.json()["detail"]) == (409, True)
        assert (await h.viewer.post(f"{APPROVALS}/{number}/approve")).status_code == 403
        assert (await run_of(connection, run))["state"] == "failed"
        assert good(await h.admin.post(f"{APPROVALS}/{number}/approve"))["runs"] == [run]
        assert (await run_of(connection, run))["state"] == "ready"
        assert good(await h.viewer.get(APPROVALS))["items"] == []
        (decided,) = good(await h.viewer.get(APPROVALS, params={"pending": False}))["items"]
        assert (decided["decision"], decided["decided_by"]) == ("approved", "ada")


async def test_every_way_to_run_it_asks(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, MONEY, AFTER, TICK, settings=TWO, claiming=False) as h:
        for path, body in (
            ("/api/v1/jobs/test.money/run", WHY),
            ("/api/admin/jobs/run", {"jobType": "test", "jobName": "money", **WHY}),
            ("/api/admin/background-processes", {"action": "run", "processName": "test.money", **WHY}),
        ):
            asked = await h.operator.post(path, json=body)
            assert (asked.status_code, asked.json()["approval"] > 0) == (202, True), path
        assert await connection.fetchval("SELECT count(*) FROM sexton.run") == 0
        other = await h.operator.post("/api/v1/jobs/test.tick/run")
        assert (other.status_code, other.json()["approval"]) == (202, None)


async def test_it_can_be_refused_and_a_reason_comes_first(url: str) -> None:
    async with house(url, MONEY, AFTER, settings=TWO, claiming=False) as h:
        assert (await h.operator.post("/api/v1/jobs/test.money/run")).status_code == 422
        number = good(await h.operator.post("/api/v1/jobs/test.money/run", json=WHY))["approval"]
        assert good(await h.admin.post(f"{APPROVALS}/{number}/refuse"))["approved"] is False
        assert (await h.admin.post(f"{APPROVALS}/{number}/approve")).status_code == 409


async def test_two_tokens_of_one_person_are_one_person(url: str) -> None:
    async with house(url, MONEY, AFTER, settings=TWO, claiming=False) as h:
        number = good(await h.operator.post("/api/v1/jobs/test.money/run", json=WHY))["approval"]
        token = await h.token(Role.ADMIN, "otto")
        async with h.new_client(headers={"Authorization": f"Bearer {token}"}) as again:
            assert (await again.post(f"{APPROVALS}/{number}/approve")).status_code == 409
