"""What a job body holds while it runs, seen from inside the body, against a real database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from daemon import Context, Cron, OnDemand, OnEvent
from daemon.fence import CursorError
from daemon.testing import PerformedRun, perform
from tests.daemon.asking import statement, the_run
from tests.daemon.harness import a_job

DUE = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
ON_DEMAND = OnDemand()


async def performed(url: str, body: Callable[[Any], Any], trigger: Any = ON_DEMAND, **options: Any) -> PerformedRun:
    due = options.pop("due_at", DUE)
    given = {key: options.pop(key) for key in ("args", "settings", "now", "resume") if key in options}
    return await perform(a_job(body, trigger, "tea.brew", **options), url=url, due_at=due, **given)


async def test_a_body_sees_its_instant_in_its_jobs_zone_and_the_day_it_is_about(url: str) -> None:
    async def body(ctx: Context) -> dict[str, object]:
        return {"due": ctx.due_at, "logical": ctx.logical_date, "business": ctx.business_date, "now": ctx.now()}

    kolkata = Cron("0 0 * * *", "Asia/Kolkata")
    run = await performed(url, body, kolkata, business_day_offset=1, now=DUE + timedelta(seconds=2))
    assert run.result["due"].isoformat() == "2026-03-02T00:00:00+05:30"
    assert (run.result["logical"], run.result["business"]) == (date(2026, 3, 2), date(2026, 3, 1))
    assert run.result["now"] == DUE + timedelta(seconds=2)


@pytest.mark.parametrize("trigger", [OnDemand(), OnEvent("tea.ready")])
async def test_without_a_zone_of_its_own_a_job_lives_in_utc(url: str, trigger: Any) -> None:
    async def body(ctx: Context) -> dict[str, object]:
        return {"due": ctx.due_at, "logical": ctx.logical_date}

    run = await performed(url, body, trigger)
    assert (run.result["due"].isoformat(), run.result["logical"]) == ("2026-03-01T18:30:00+00:00", date(2026, 3, 1))


async def test_a_body_has_its_arguments_and_its_suites_settings(url: str) -> None:
    async def body(ctx: Context) -> object:
        return [ctx.args["cups"], ctx.settings, ctx.attempt, ctx.cursor]

    run = await performed(url, body, args={"cups": 2}, settings="china")
    assert run.result == [2, "china", 1, None]


@dataclass
class Totals:
    paid: Decimal


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        ({"rows": 1}, '{"rows": 1}'),
        (Totals(Decimal("10.10")), '{"paid": "10.10"}'),
        ([1, "a"], '[1, "a"]'),
        (0, "0"),
        ("", '""'),
    ],
)
async def test_a_result_is_anything_json_can_say(
    url: str, connection: asyncpg.Connection, value: object, kept: str | None
) -> None:
    async def returns(_: Context) -> object:
        return value

    async def commits(ctx: Context) -> None:
        async with ctx.completing() as tx:
            tx.result(value)

    for body in (returns, commits):
        run = await performed(url, body, due_at=DUE + timedelta(seconds=body is commits))
        row = await the_run(connection, run.id)
        assert (run.ending, row["state"], row["result"]) == ("succeeded", "succeeded", kept)


async def test_a_result_of_many_megabytes_is_refused_with_the_remedy(url: str) -> None:
    async def body(_: Context) -> object:
        return "x" * 1_000_001

    run = await performed(url, body)
    assert run.ending == "failed"
    assert "the ledger keeps 1,000,000; write rows to a table" in (run.error or "")


async def test_a_snapshot_sees_one_state_and_writes_nothing(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA tea; CREATE TABLE tea.cup AS SELECT 1 AS n")
    count, insert = statement("SELECT count(*) FROM cup"), statement("INSERT INTO cup VALUES (2)")

    async def body(ctx: Context) -> object:
        async with ctx.snapshot() as reader:
            before = await reader.fetchval(count)
            await connection.execute("INSERT INTO tea.cup VALUES (3)")
            after = await reader.fetchval(count)
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await reader.execute(insert)
            return [before, after]

    run = await performed(url, body)
    assert run.result == [1, 1] or "InFailedSQLTransaction" in (run.error or "")
    assert await connection.fetchval("SELECT count(*) FROM tea.cup") == 2


async def test_a_transaction_speaks_in_its_suites_schema_and_its_jobs_zone(url: str) -> None:
    show = statement("SELECT current_setting('search_path') || ' ' || current_setting('TimeZone')")

    async def body(ctx: Context) -> object:
        async with ctx.transaction(cursor=1) as tx:
            first = await tx.fetchval(show)
        async with ctx.autocommit() as session:
            return [first, await session.fetchval(show)]

    run = await performed(url, body, Cron("0 0 * * *", "Asia/Kolkata"))
    assert run.result[0] == '"tea", pg_catalog Asia/Kolkata' or run.result[0] == "tea, pg_catalog Asia/Kolkata"
    assert run.result[1].endswith(" UTC")


async def test_vacuum_and_its_like_run_outside_a_transaction(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA tea; CREATE TABLE tea.cup (n int)")

    async def body(ctx: Context) -> None:
        async with ctx.autocommit() as session:
            await session.execute(statement("VACUUM tea.cup"))

    assert (await performed(url, body)).ending == "succeeded"


async def test_a_batch_without_a_cursor_is_refused_because_a_resumed_run_would_repeat_it(url: str) -> None:
    async def body(ctx: Context) -> None:
        async with ctx.transaction():
            pass

    run = await performed(url, body)
    assert (run.ending, (run.error or "").partition(":")[0]) == ("failed", CursorError.__name__)


async def test_a_resumed_run_goes_on_from_its_cursor_whatever_its_shape(url: str) -> None:
    async def body(ctx: Context) -> object:
        if ctx.cursor is None:
            async with ctx.transaction(cursor={"day": date(2026, 3, 1), "after": Decimal("1.50")}):
                pass
            raise RuntimeError("interrupted")
        return ctx.cursor

    first = await performed(url, body)
    assert first.ending == "failed"
    again = await performed(url, body, resume=first.id)
    assert again.result == {"day": "2026-03-01", "after": "1.50"}


async def test_a_savepoint_undoes_only_what_was_done_since(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA tea; CREATE TABLE tea.cup (n int UNIQUE)")
    insert = statement("INSERT INTO cup VALUES ($1)")

    async def body(ctx: Context) -> None:
        async with ctx.completing() as tx:
            await tx.execute(insert, 1)
            for n in (2, 1, 3):
                try:
                    async with tx.savepoint():
                        await tx.execute(insert, n)
                        await tx.execute(insert, n + 10)
                except asyncpg.UniqueViolationError:
                    pass

    assert (await performed(url, body)).ending == "succeeded"
    found = await connection.fetch("SELECT n FROM tea.cup ORDER BY n")
    assert [r["n"] for r in found] == [1, 2, 3, 12, 13]


async def test_records_are_copied_in_the_same_transaction(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA tea; CREATE TABLE tea.cup (n int, at timestamptz)")

    async def body(ctx: Context) -> object:
        async with ctx.transaction(cursor=1) as tx:
            first = await tx.copy_records("tea.cup", ("n", "at"), [(n, DUE) for n in range(1000)])
        async with ctx.transaction(cursor=2) as tx:
            await tx.copy_records("tea.cup", ("n", "at"), [(1, DUE)])
            raise RuntimeError(f"{first}")

    run = await performed(url, body)
    assert run.error == "RuntimeError: 1000"
    assert await connection.fetchval("SELECT count(*) FROM tea.cup") == 1000
