"""What a body says through `ctx.log` is kept with its run, in order and bounded."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from daemon import Context, OnDemand
from daemon.database import DatabaseDown, Link, Outage
from daemon.events import RunEnded
from daemon.run_log import LINE_LENGTH, MOST_LINES, MOST_PENDING, RunLog
from tests.daemon.asking import ask
from tests.daemon.cuttable import wire
from tests.daemon.harness import a_job, node, rows

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LINES = "SELECT seq, level, line FROM sexton.run_log WHERE run = $1 ORDER BY seq"


@asynccontextmanager
async def run_log(url: str) -> AsyncIterator[RunLog]:
    link = Link(lambda: url, lambda: "sexton test", Outage(lambda _: None))
    try:
        yield RunLog(link, lambda: NOW, lambda: None)
    finally:
        await link.close()


def say(log: RunLog, run: int, text: str, *args: Any, level: int = logging.INFO, attempt: int = 1) -> None:
    record = logging.LogRecord("sexton.job.t", level, "f.py", 1, text, args, None)
    record.run, record.attempt = run, attempt
    log.handle(record)


async def kept(connection: asyncpg.Connection, run: int) -> list[str]:
    return [r["line"] for r in await rows(connection, LINES, run)]


async def test_lines_keep_their_order_level_and_run(url: str, connection: asyncpg.Connection) -> None:
    one, two = await ask(connection, "t.one"), await ask(connection, "t.two")
    async with run_log(url) as log:
        say(log, one, "first %d", 1)
        say(log, two, "other", level=logging.WARNING)
        await log.step()
        say(log, one, "second")
        await log.step()
    assert [r["line"] for r in await rows(connection, LINES, one)] == ["first 1", "second"]
    assert [(r["level"], r["line"]) for r in await rows(connection, LINES, two)] == [("warning", "other")]


async def test_a_talkative_run_is_cut_short_and_the_last_line_says_so(url: str, connection: asyncpg.Connection) -> None:
    run = await ask(connection, "t.one")
    async with run_log(url) as log:
        for i in range(MOST_LINES + 50):
            say(log, run, f"line {i}" if i else "x" * 5000)
        await log.step()
    found = await kept(connection, run)
    assert len(found) == MOST_LINES
    assert len(found[0]) == LINE_LENGTH
    assert found[-1] == f"more than {MOST_LINES} lines: the rest is not kept"


async def test_lines_wait_for_a_lost_database_up_to_a_bound(url: str, connection: asyncpg.Connection) -> None:
    run = await ask(connection, "t.one")
    async with wire(url) as w, run_log(w.url) as log:
        await w.cut()
        say(log, run, "said in the dark")
        with pytest.raises(DatabaseDown):
            await log.step()
        for i in range(MOST_PENDING + 10):
            say(log, 1_000_000 + i, "crowd")
        assert len(log._pending) == MOST_PENDING
        await w.mend()
        await log.step()
        assert log._pending == []
    assert await kept(connection, run) == ["said in the dark"]


async def test_lines_of_no_run_or_of_a_purged_one_are_nobodys(url: str, connection: asyncpg.Connection) -> None:
    run = await ask(connection, "t.one")
    async with run_log(url) as log:
        say(log, 0, "an idle poll")
        say(log, run + 1000, "purged")
        say(log, run, "kept")
        await log.step()
    assert await connection.fetchval("SELECT count(*) FROM sexton.run_log") == 1


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
async def test_text_that_postgresql_cannot_keep_holds_up_no_other_line(
    url: str, connection: asyncpg.Connection, text: str
) -> None:
    run = await ask(connection, "t.one")
    async with run_log(url) as log:
        say(log, run, text)
        say(log, run, "next")
        await log.step()
    first, second = await kept(connection, run)
    assert first in ("a\ufffdb", "a?b")
    assert second == "next"


async def test_a_badly_formatted_line_is_not_the_bodys_failure(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with run_log(url) as log:
        say(log, 7, "%d apples", "many")
        assert log._pending == []
    assert "apples" in capsys.readouterr().err


async def test_every_try_of_a_run_has_its_lines(
    url: str, connection: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sexton.job")

    async def body(ctx: Context) -> None:
        ctx.log.info("try %d begins", ctx.attempt)
        if ctx.attempt == 1:
            raise RuntimeError("once")
        ctx.log.info("and ends")

    job = a_job(body, OnDemand(), "t.one", retries=1, retry_delay=timedelta(milliseconds=10))
    async with node(url, job) as n:
        run = await ask(connection, "t.one")
        await n.event(RunEnded, lambda e: e.outcome == "succeeded")
        await n.engine.run_log.step()
    assert await kept(connection, run) == ["try 1 begins", "try 2 begins", "and ends"]
