"""Jobs over HTTP: looked at, paused, rescheduled, overridden, run; by one person at a time."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx

from daemon.events import RunEnded
from daemon.job import Context
from daemon.schedule import OnDemand
from tests.daemon.actions_house import AFTER, HAND, MONEY, TICK, add_run, audit
from tests.daemon.admin.house import house
from tests.daemon.harness import a_job, node

JOBS = (AFTER, HAND, MONEY, TICK)
MONEY_URL = "/api/v1/jobs/test.money"


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


async def test_jobs_are_listed_in_pages_by_name(url: str) -> None:
    async with house(url, *JOBS) as h:
        first = good(await h.viewer.get("/api/v1/jobs", params={"limit": 3}))
        rest = good(await h.viewer.get("/api/v1/jobs", params={"limit": 3, "cursor": first["next"]}))
        assert [job["name"] for job in first["items"] + rest["items"]] == [job.name for job in JOBS]
        assert rest["next"] is None
        assert good(await h.viewer.get("/api/v1/jobs", params={"suite": "tea"})) == {"items": [], "next": None}


async def test_a_job_shows_its_next_ten_instants_in_its_own_zone(url: str) -> None:
    async with house(url, *JOBS) as h:
        job = good(await h.viewer.get(MONEY_URL))
        due = [datetime.fromisoformat(instant["at"]) for instant in job["upcoming"]]
        assert len(due) == 10
        assert {(at.hour, at.minute) for at in due} == {(2, 30)}
        assert all(at.utcoffset() in (timedelta(hours=1), timedelta(hours=2)) for at in due)
        assert (job["schedule"], job["timezone"], job["catch_up"]) == ("30 2 * * *", "Europe/Zurich", "each 9")
        assert job["origins"]["schedule"] == "decorator"


async def test_a_job_answers_to_its_aliases_and_an_unknown_one_gets_a_hint(url: str) -> None:
    aliased = a_job(HAND.body, OnDemand(), "test.hand", aliases=("by-hand",))
    async with house(url, aliased) as h:
        assert good(await h.viewer.get("/api/v1/jobs/by-hand"))["name"] == "test.hand"
        answer = await h.viewer.get("/api/v1/jobs/test.hands")
        assert answer.status_code == 404
        assert "test.hand" in answer.json()["detail"]


async def test_a_pause_and_its_end_are_audited_with_who_and_from_where(
    url: str, connection: asyncpg.Connection
) -> None:
    async with house(url, *JOBS) as h:
        assert good(await h.operator.post(f"{MONEY_URL}/pause", json={"reason": "rates"}))["paused_by"] == "otto"
        held = await add_run(connection, MONEY, "held", reason="paused by otto")
        resumed = good(await h.operator.post(f"{MONEY_URL}/resume"))
        assert [run["id"] for run in resumed["released"]] == [held]
        assert resumed["job"]["paused_by"] is None
        again = await h.operator.post(f"{MONEY_URL}/resume")
        assert (again.status_code, again.json()["detail"]) == (409, "test.money is not paused")
        first = next(row for row in await audit(connection) if row["action"] == "pause")
        assert (first["who"], first["origin"], first["reason"]) == ("otto", "api 127.0.0.1", "rates")


async def test_an_edit_based_on_an_old_look_is_refused(url: str) -> None:
    async with house(url, *JOBS) as h:
        seen = (await h.viewer.get(MONEY_URL)).headers["etag"]
        first = await h.operator.patch(MONEY_URL, json={"retries": 1}, headers={"If-Match": seen})
        assert good(first)["retries"] == 1
        second = await h.operator.patch(MONEY_URL, json={"retries": 2}, headers={"If-Match": seen})
        assert second.status_code == 412
        assert "is not as you saw it; last changed by otto" in second.json()["detail"]
        fresh = (await h.viewer.get(MONEY_URL)).headers["etag"]
        assert fresh == first.headers["etag"]
        assert not [name for name in first.headers if name.startswith("x-sexton")]
        assert (await h.operator.patch(MONEY_URL, json={"retries": 2}, headers={"If-Match": fresh})).is_success
        assert (await h.operator.patch(MONEY_URL, json={"retries": 3}, headers={"If-Match": "*"})).is_success
        assert (await h.operator.patch(MONEY_URL, json={}, headers={"If-Match": '"x"'})).status_code == 412


async def test_what_one_has_already_is_not_sent_again(url: str) -> None:
    async with house(url, HAND) as h:
        seen = await h.viewer.get("/api/v1/jobs/test.hand")
        etag = seen.headers["etag"]
        again = await h.viewer.get("/api/v1/jobs/test.hand", headers={"If-None-Match": f'"other", W/{etag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"] == "private, no-cache"
        await h.operator.post("/api/v1/jobs/test.hand/pause")
        assert (await h.viewer.get("/api/v1/jobs/test.hand", headers={"If-None-Match": etag})).status_code == 200


async def test_a_new_schedule_is_previewed_taken_and_taken_back(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, *JOBS) as h:
        wish = {"schedule": "0 6 * * mon", "timezone": "UTC"}
        shown = good(await h.viewer.post(f"{MONEY_URL}/preview", json=wish))
        assert len(shown["upcoming"]) == 10
        assert {datetime.fromisoformat(i["at"]).isoweekday() for i in shown["upcoming"]} == {1}
        assert [row for row in await audit(connection) if row["target"] == "test.money"] == []
        taken = good(await h.operator.put(f"{MONEY_URL}/schedule", json={**wish, "reason": "Mondays"}))
        assert (taken["schedule"], taken["origins"]["schedule"]) == ("0 6 * * mon", "override")
        back = good(await h.operator.put(f"{MONEY_URL}/schedule", json={}))
        assert (back["schedule"], back["timezone"], back["overrides"]) == ("30 2 * * *", "Europe/Zurich", {})


async def test_a_schedule_that_is_none_is_refused_with_every_mistake(url: str) -> None:
    async with house(url, *JOBS) as h:
        for answer in (
            await h.viewer.post(f"{MONEY_URL}/preview", json={"schedule": "61 25 * * *"}),
            await h.operator.put(f"{MONEY_URL}/schedule", json={"schedule": "61 25 * * *"}),
        ):
            assert answer.status_code == 422
            assert len(answer.json()["problems"]) == 2


async def test_overrides_take_effect_on_the_running_node(url: str) -> None:
    async with house(url, *JOBS) as h:
        changed = good(await h.operator.patch("/api/v1/jobs/test.tick", json={"timeout_s": 7.5, "retries": 4}))
        assert (changed["timeout_s"], changed["retries"]) == (7.5, 4)
        assert changed["overrides"] == {"timeout": 7.5, "retries": 4}
        roster = h.node.engine.roster
        async with asyncio.timeout(60):
            while roster.jobs["test.tick"].retries != 4:
                await asyncio.sleep(0.01)
        assert roster.jobs["test.tick"].timeout == timedelta(seconds=7.5)
        back = good(await h.operator.patch("/api/v1/jobs/test.tick", json={"timeout_s": None}))
        assert back["overrides"] == {"retries": 4}
        wrong = await h.operator.patch("/api/v1/jobs/test.tick", json={"retries": 101})
        assert wrong.status_code == 422
        assert wrong.json()["problems"][0]["where"] == "body.retries"


async def test_a_run_by_hand_gets_its_arguments(url: str, connection: asyncpg.Connection) -> None:
    seen: list[Any] = []

    async def body(ctx: Context) -> None:
        seen.append(ctx.args)

    async with house(url, a_job(body, OnDemand(), "test.hand")) as h:
        args = {"name": "Ada", "n": 3, "nested": {"x": [1, None]}}
        answer = await h.operator.post("/api/v1/jobs/test.hand/run", json={"args": args})
        assert answer.status_code == 202
        run = answer.json()["run"]
        await h.node.event(RunEnded, lambda event: event.run == run)
        assert seen == [args]
        row = await connection.fetchrow("SELECT requested_by, args FROM sexton.run WHERE id = $1", run)
        assert row is not None
        assert (row["requested_by"], json.loads(row["args"])) == ("otto", args)


async def test_a_sensitive_job_wants_a_reason_and_a_date_runs_once(url: str) -> None:
    async with house(url, MONEY, AFTER, claiming=False) as h:
        due = {"due_at": "2026-11-20T01:30:00Z"}
        without = await h.operator.post(f"{MONEY_URL}/run", json=due)
        assert (without.status_code, without.json()["detail"]) == (
            422, "test.money is sensitive: say why, as `reason`",
        )  # fmt: skip
        run = good(await h.operator.post(f"{MONEY_URL}/run", json={**due, "reason": "lost"}))["run"]
        after = good(await h.operator.post("/api/v1/jobs/test.after/run", json={"due_at": "2026-11-20T06:00:00Z"}))
        assert after["not_awaited"] == [f"test.money is ready for 2026-11-20 (run {run})"]
        twice = await h.operator.post(f"{MONEY_URL}/run", json={**due, "reason": "lost"})
        assert (twice.status_code, twice.json()["run"], twice.json()["state"]) == (409, run, "ready")
        assert (await h.operator.post(f"{MONEY_URL}/run", json={**due, "reason": "x", "again": True})).is_success


async def test_a_run_that_is_tried_again_by_hand_says_what_it_does_not_wait_for(
    url: str, connection: asyncpg.Connection
) -> None:
    async with house(url, MONEY, AFTER, HAND, claiming=False) as h:
        skipped, failed = await add_run(connection, AFTER, "skipped", 3), await add_run(connection, HAND, "failed", 3)
        told = good(await h.operator.post("/api/v1/runs/retry", json={"runs": [skipped, failed]}))
        assert [run["not_awaited"] for run in told] == [["test.money has not run for 2026-11-23"], []]


async def test_asking_again_with_the_same_key_makes_no_second_run(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, HAND, claiming=False) as h:
        mine = {"Idempotency-Key": "4711"}
        asked = [h.operator.post("/api/v1/jobs/test.hand/run", headers=mine) for _ in range(5)]
        runs = {good(answer)["run"] for answer in await asyncio.gather(*asked)}
        assert len(runs) == 1
        assert len([row for row in await audit(connection) if row["action"] == "run-job"]) == 1
        other = good(await h.operator.post("/api/v1/jobs/test.hand/run", headers={"Idempotency-Key": "4712"}))
        theirs = good(await h.admin.post("/api/v1/jobs/test.hand/run", headers=mine))
        assert len({*runs, other["run"], theirs["run"]}) == 3


async def test_a_run_of_the_future_or_with_arguments_that_cannot_be_kept_is_refused(url: str) -> None:
    async with house(url, HAND) as h:
        answer = await h.operator.post("/api/v1/jobs/test.hand/run", json={"due_at": "2999-01-01T00:00:00Z"})
        assert (answer.status_code, "still to come" in answer.text) == (422, True)
        naive = await h.operator.post("/api/v1/jobs/test.hand/run", json={"due_at": "2026-01-01T00:00:00"})
        assert naive.status_code == 422
        for args in ('{"x": NaN}', '{"x": ["\\ud800"]}', '{"x": {"y": "\\u0000"}}', '{"x": 1e999}'):
            body = f'{{"args": {args}}}'
            answer = await h.operator.post(
                "/api/v1/jobs/test.hand/run", content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 422, answer.text


async def test_a_change_through_one_node_reaches_the_other(url: str, connection: asyncpg.Connection) -> None:
    """The admin's node claims nothing; the other one runs what is asked for, and follows a pause and a cancel."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def body(ctx: Context) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    job = a_job(body, OnDemand(), "test.long")
    async with house(url, job, claiming=False) as h, node(url, job, home="/tmp/sexton-test-other") as other:
        run = good(await h.operator.post("/api/v1/jobs/test.long/run"))["run"]
        async with asyncio.timeout(60):
            await begun.wait()
        good(await h.operator.post(f"/api/v1/runs/{run}/cancel"))
        async with asyncio.timeout(60):
            await ended.wait()
        await other.event(RunEnded, lambda event: event.run == run and event.outcome == "cancelled")
        good(await h.operator.post("/api/v1/jobs/test.long/pause"))
        async with asyncio.timeout(60):
            while "test.long" not in other.engine.roster.paused:
                await asyncio.sleep(0.01)
