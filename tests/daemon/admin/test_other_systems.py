"""The interfaces of other systems, in their shapes: background processes, a job manager, the cron's health."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx

from daemon.catchup import CatchUp
from daemon.events import RunEnded, RunStarted
from daemon.job import Context, Overlap
from daemon.schedule import Cron, OnDemand
from tests.daemon.actions_house import add_run, audit
from tests.daemon.admin.house import House, house
from tests.daemon.harness import a_job

PROCESSES, MANAGER = "/api/admin/background-processes", "/api/admin/jobs"


async def nothing(ctx: Context) -> None:
    return None


async def sleeps(ctx: Context) -> None:
    await asyncio.sleep(60)


PAY = a_job(
    nothing, Cron("0 0 * * *", "Asia/Kolkata"), "house.daily_pay", aliases=("daily-pay",), sensitive=True,
    timeout=timedelta(minutes=10), retries=3, retry_delay=timedelta(seconds=30), catch_up=CatchUp.EACH(9),
    overlap=Overlap.QUEUE,
)  # fmt: skip
REMIND = a_job(nothing, Cron("0 9 * * *"), "house.goals", aliases=("reminder/goalDeadlines",))
CHECK = a_job(nothing, Cron("0 * * * *"), "house.stock", aliases=("lastStockCheck/stockAlerts",))
LONG = a_job(sleeps, OnDemand(), "house.long", aliases=("long-one",))
JOBS = (PAY, REMIND, CHECK, LONG)


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


async def order(h: House, action: str, **more: Any) -> Any:
    return good(await h.operator.post(PROCESSES, json={"action": action, **more}))


async def process(h: House, name: str) -> Any:
    listed = good(await h.viewer.get(PROCESSES))
    assert listed["success"] is True
    return next(entry for entry in listed["processes"] if entry["name"] == name)


async def test_a_process_is_told_in_the_other_systems_terms(url: str) -> None:
    async with house(url, *JOBS) as h:
        told = await process(h, "daily-pay")
        assert {key: told[key] for key in ("schedule", "enabled", "timeout", "retryAttempts", "retryDelay")} == {
            "schedule": "0 0 * * *", "enabled": True, "timeout": 600_000, "retryAttempts": 3, "retryDelay": 30_000,
        }  # fmt: skip
        assert (told["job"], told["status"], told["lastRun"]) == ("house.daily_pay", "idle", None)
        assert datetime.fromisoformat(told["nextRun"]).utcoffset() == timedelta(hours=5.5)


async def test_a_name_that_was_left_empty_stops_nothing(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, *JOBS) as h:
        answer = await h.operator.post(PROCESSES, json={"action": "stop", "processName": ""})
        assert answer.status_code == 422
        assert "processName" in answer.json()["detail"]
        assert await connection.fetchval("SELECT count(*) FROM sexton.job WHERE paused_by IS NOT NULL") == 0


async def test_a_process_is_stopped_and_started_by_its_alias(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, *JOBS) as h:
        run = (await order(h, "run", processName="long-one"))["runId"]
        await h.node.event(RunStarted, lambda e: e.run == run)
        assert (await process(h, "long-one"))["status"] == "running"
        await order(h, "stop", processName="long-one", reason="too long")
        await h.node.event(RunEnded, lambda e: e.run == run and e.outcome == "cancelled")
        assert await connection.fetchval("SELECT paused_by FROM sexton.job WHERE name = 'house.long'") == "otto"
        await order(h, "start", processName="long-one")
        assert await connection.fetchval("SELECT paused_by FROM sexton.job WHERE name = 'house.long'") is None
        await order(h, "start", processName="long-one")
        assert [(r["action"], r["who"]) for r in await audit(connection) if r["target"] == "house.long"] == [
            ("pause", "otto"), ("resume", "otto"),
        ]  # fmt: skip


async def test_without_a_name_all_are_stopped_and_started(url: str) -> None:
    async with house(url, *JOBS) as h:
        await order(h, "stop")
        states = {p["status"] for p in good(await h.viewer.get(PROCESSES))["processes"]}
        assert states == {"stopped"}
        await order(h, "start")
        states = {p["status"] for p in good(await h.viewer.get(PROCESSES))["processes"]}
        assert states == {"idle"}


async def test_restarting_ends_what_runs_and_leaves_the_job_free(url: str) -> None:
    async with house(url, *JOBS) as h:
        run = (await order(h, "run", processName="long-one"))["runId"]
        await h.node.event(RunStarted, lambda e: e.run == run)
        await order(h, "restart", processName="long-one")
        await h.node.event(RunEnded, lambda e: e.run == run and e.outcome == "cancelled")
        assert (await process(h, "long-one"))["status"] == "idle"


async def test_a_process_is_disabled_and_enabled(url: str) -> None:
    async with house(url, *JOBS) as h:
        await order(h, "disable", processName="daily-pay")
        told = await process(h, "daily-pay")
        assert (told["enabled"], told["status"], told["nextRun"]) == (False, "disabled", None)
        await order(h, "enable", processName="daily-pay")
        assert good(await h.viewer.get("/api/v1/jobs/house.daily_pay"))["overrides"] == {}


async def test_old_log_lines_are_cleaned_up_and_their_runs_stay(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, *JOBS) as h:
        for day, ended in ((0, "40 days"), (1, "2 days")):
            run = await add_run(connection, REMIND, "succeeded", day)
            await connection.execute(
                "UPDATE sexton.run SET finished_at = sexton.clock() - $2::text::interval WHERE id = $1", run, ended
            )
            await connection.execute("INSERT INTO sexton.run_log VALUES ($1, 1, sexton.clock(), 'info', 'hello')", run)
        assert (await order(h, "cleanup-logs"))["deleted"] == 1
        assert await connection.fetchval("SELECT count(*) FROM sexton.run") == 2
        assert (await order(h, "cleanup-logs", olderThanDays=1))["deleted"] == 1


async def test_what_makes_no_sense_is_refused(url: str) -> None:
    async with house(url, *JOBS) as h:
        for body, status in (
            ({"action": "explode"}, 422), ({"action": "run"}, 422), ({"action": "run", "processName": "nobody"}, 404),
            ({"action": "run", "processName": "daily-pay"}, 422), ({}, 422),
        ):  # fmt: skip
            assert (await h.operator.post(PROCESSES, json=body)).status_code == status, body
        assert (await h.viewer.post(PROCESSES, json={"action": "stop"})).status_code == 403


async def test_the_job_manager_tells_its_jobs_by_type_and_name(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, *JOBS) as h:
        told = good(await h.viewer.get(f"{MANAGER}/status"))
        assert told["isInitialized"] is True
        assert set(told["jobs"]) == {"house", "reminder"}
        assert told["jobs"]["reminder"]["goalDeadlines"]["job"] == "house.goals"
        assert told["jobs"]["house"]["dailyPay"]["schedule"] == "0 0 * * *"


async def test_the_job_manager_runs_a_job_by_type_and_name(url: str) -> None:
    async with house(url, *JOBS) as h:
        wish = {"jobType": "reminder", "jobName": "goalDeadlines"}
        answer = await h.operator.post(f"{MANAGER}/run", json=wish)
        assert (answer.status_code, answer.json()["success"]) == (200, True)
        run = answer.json()["runId"]
        await h.node.event(RunEnded, lambda e: e.run == run and e.outcome == "succeeded")
        unknown = await h.operator.post(f"{MANAGER}/run", json={"jobType": "reminder", "jobName": "nothing"})
        assert unknown.status_code == 404


async def test_a_job_of_one_run_a_date_runs_once_more_when_that_is_said(url: str) -> None:
    daily = a_job(nothing, Cron("0 0 * * *", tz="UTC"), "house.daily", aliases=("ledger/daily",))
    async with house(url, daily, claiming=False) as h:
        wish = {"jobType": "ledger", "jobName": "daily"}
        answers = [await h.operator.post(f"{MANAGER}/run", json={**wish, **more}) for more in ({}, {}, {"again": True})]
        assert [answer.status_code for answer in answers] == [200, 409, 200]
        assert answers[1].json()["run"] == answers[0].json()["runId"] != answers[2].json()["runId"]


async def test_whoever_asks_for_a_run_hears_what_it_does_not_wait_for(url: str) -> None:
    books = a_job(nothing, OnDemand(), "house.books", aliases=("ledger/books",), requires=("house.long",))
    async with house(url, LONG, books, claiming=False) as h:
        by_type = good(await h.operator.post(f"{MANAGER}/run", json={"jobType": "ledger", "jobName": "books"}))
        by_name = await order(h, "run", processName="house.books")
        for told in (by_type, by_name):
            assert len(told["notAwaited"]) == 1
            assert told["notAwaited"][0].startswith("house.long has not run for ")
        assert by_name["message"] == f"house.books will run; {by_name['notAwaited'][0]}"


async def test_the_job_manager_counts_what_became_of_runs_in_thirty_days(
    url: str, connection: asyncpg.Connection
) -> None:
    async with house(url, *JOBS) as h:
        now = await connection.fetchval("SELECT sexton.clock()")
        for day, state in enumerate(("succeeded", "succeeded", "succeeded", "failed", "succeeded")):
            due = now - timedelta(days=40 if day == 4 else day + 1)
            ended = due + timedelta(seconds=day + 1)
            await add_run(connection, REMIND, state, day, due_at=due, started_at=due, finished_at=ended)
        told = good(await h.viewer.get(f"{MANAGER}/statistics"))
        assert told["days"] == 30
        assert told["jobs"]["reminder"]["goalDeadlines"] == {
            "job": "house.goals", "totalRuns": 4, "succeeded": 3, "failed": 1, "cancelled": 0, "missed": 0,
            "successRate": 0.75, "averageDuration": 2000, "p95Duration": 2900,
        }  # fmt: skip
        never = told["jobs"]["house"]["dailyPay"]
        assert (never["totalRuns"], never["successRate"], never["p95Duration"]) == (0, None, None)


async def test_the_job_managers_health_says_what_to_do(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, *JOBS) as h:
        told = good(await h.viewer.get(f"{MANAGER}/health"))
        assert (told["status"], told["overall"], told["issues"], told["nodes"]) == ("healthy", "healthy", [], 1)
        await h.operator.post("/api/v1/jobs/house.stock/pause")
        assert good(await h.viewer.get(f"{MANAGER}/health"))["status"] == "degraded"
        now = await connection.fetchval("SELECT sexton.clock()")
        await add_run(connection, REMIND, "failed", finished_at=now, error="ValueError: no goals")
        told = good(await h.viewer.get(f"{MANAGER}/health"))
        assert (told["status"], told["issues"][0]) == ("unhealthy", "failed: house.goals")
        assert any("no goals" in line for line in told["recommendations"])


async def test_the_crons_health_comes_from_the_ledger(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, *JOBS) as h:
        at = await connection.fetchval("SELECT date_trunc('second', sexton.clock()) - interval '1 hour'")
        for day in (0, 1):
            await add_run(connection, CHECK, "succeeded", day, finished_at=at)
        told = good(await h.viewer.get("/api/health/cron"))
        assert told["uptime"] > 0
        assert told["tasksCompleted"] == {"dailyPay": 0, "goalDeadlines": 0, "stockAlerts": 2}
        assert datetime.fromisoformat(told["lastStockCheck"]) == at
        assert told["lastGoalDeadlines"] is None
        assert "long" not in told["tasksCompleted"]
