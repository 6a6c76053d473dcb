"""`sexton stop-all` and `sexton resume-all`."""

from __future__ import annotations

import asyncio

import asyncpg

from tests.daemon.cli.conftest import running
from tests.daemon.cli.console import Console


def test_everything_is_stopped_shown_and_goes_on(sexton: Console) -> None:
    done = sexton("stop-all", "--reason", "wrong rates").ok()
    assert done.out == "everything is stopped; nothing was running\n"
    assert "sexton resume-all" in done.err
    attention = sexton("status", "--json").json["attention"]
    assert [
        (entry["kind"], "by ann since" in entry["text"], ": wrong rates;" in entry["text"]) for entry in attention
    ] == [("stopped", True, True)]
    assert "stopped" in sexton("status").out
    assert sexton("stop-all").ok().out.startswith("everything is stopped since ")
    refused = sexton("run-job", "house.report")
    assert (refused.status, "to end it: sexton resume-all" in refused.err) == (1, True)
    assert sexton("resume-all").ok().out == "work goes on\n"
    assert sexton("resume-all").err == "error: there is no emergency stop to end\n"


async def test_a_running_daemon_ends_its_work_within_five_seconds_and_goes_on(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    async with running(sexton):
        run = int((await sexton.process("run-job", "house.slow")).ok().out)

        async def state() -> str:
            found: str = await ledger.fetchval("SELECT state FROM sexton.run WHERE id = $1", run)
            return found

        async with asyncio.timeout(60):
            while await state() != "running":
                await asyncio.sleep(0.02)
        stopped = (await sexton.process("stop-all", "--reason", "wrong rates")).ok()
        assert stopped.out == f"everything is stopped; cancelled: run {run}\n"
        async with asyncio.timeout(60):
            while await state() != "cancelled":
                await asyncio.sleep(0.02)
        resumed = (await sexton.process("resume-all", "--retry")).ok()
        assert resumed.out == f"work goes on\nready again: run {run}\n"
        async with asyncio.timeout(60):
            while await state() != "running":
                await asyncio.sleep(0.02)
        (await sexton.process("cancel", run, "--wait")).ok()
