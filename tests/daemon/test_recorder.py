"""How tries ended is written many at once, and nothing is lost while the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from daemon.database import DatabaseDown, Link, Outage
from daemon.events import Event
from daemon.ledger import Finish
from daemon.recorder import Recorder
from tests.daemon.asking import ask, the_run
from tests.daemon.cuttable import wire

NODE = "00000000-0000-0000-0000-000000000001"


@asynccontextmanager
async def recorder(url: str, heard: list[Event] | None = None) -> AsyncIterator[Recorder]:
    link = Link(lambda: url, lambda: "sexton test", Outage((heard if heard is not None else []).append))
    try:
        yield Recorder(link)
    finally:
        await link.close()


async def running(connection: asyncpg.Connection, count: int) -> list[int]:
    return [
        await ask(connection, f"t.{i}", state="running", token=i, node=NODE, attempt=1) for i in range(1, count + 1)
    ]


def told(finish: Finish, answers: dict[int, bool], refused: dict[int, str | None] | None = None) -> tuple[Finish, Any]:
    def done(state: str | None, why: str | None) -> None:
        answers[finish.id] = state is not None
        if refused is not None:
            refused[finish.id] = why

    return finish, done


async def test_many_ends_are_written_at_once_and_each_is_told(url: str, connection: asyncpg.Connection) -> None:
    answers: dict[int, bool] = {}
    runs = await running(connection, 3)
    async with recorder(url) as r:
        for token, run in enumerate(runs, 1):
            r.put(*told(Finish(run, token, "succeeded", 0), answers))
        assert r.pending == 3
        await r.serve()
        assert r.pending == 0
    assert answers == dict.fromkeys(runs, True)
    assert {(await the_run(connection, run))["state"] for run in runs} == {"succeeded"}


async def test_a_run_whose_token_was_replaced_is_told_so_and_left_alone(
    url: str, connection: asyncpg.Connection
) -> None:
    answers: dict[int, bool] = {}
    (run,) = await running(connection, 1)
    async with recorder(url) as r:
        r.put(*told(Finish(run, 99, "failed", 1), answers))
        await r.step()
    assert answers == {run: False}
    assert (await the_run(connection, run))["state"] == "running"


async def test_a_run_that_had_committed_its_success_is_told_that(url: str, connection: asyncpg.Connection) -> None:
    """It was stopped while its last COMMIT was under way, and nobody heard the answer."""
    states: dict[int, str | None] = {}
    run, other = await running(connection, 2)
    await connection.execute("UPDATE sexton.run SET state = 'succeeded', node = NULL WHERE id = ANY ($1)", [run, other])
    async with recorder(url) as r:
        for id_, token in ((run, 1), (other, 99)):
            r.put(Finish(id_, token, "ready", 0), lambda state, _, of=id_: states.update({of: state}))
        await r.step()
    assert states == {run: "succeeded", other: None}
    assert (await the_run(connection, run))["state"] == "succeeded"


async def test_an_end_whose_answer_got_lost_is_written_once_and_told_as_it_is(
    url: str, connection: asyncpg.Connection
) -> None:
    answers: dict[int, bool] = {}
    (run,) = await running(connection, 1)
    finish = Finish(run, 1, "failed", 1, error="broken", outcome="failed")
    async with recorder(url) as r:
        r.put(*told(finish, {}))
        await r.step()
        r.put(*told(finish, answers))
        await r.step()
    assert answers == {run: True}


async def test_nothing_is_lost_while_the_database_is_away(url: str, connection: asyncpg.Connection) -> None:
    answers: dict[int, bool] = {}
    runs = await running(connection, 2)
    async with wire(url) as w, recorder(w.url) as r:
        r.put(*told(Finish(runs[0], 1, "succeeded", 0), answers))
        await w.cut()
        for _ in range(2):
            with pytest.raises(DatabaseDown):
                await r.serve()
        r.put(*told(Finish(runs[1], 2, "succeeded", 0), answers))
        assert (r.pending, answers) == (2, {})
        await w.mend()
        await r.serve()
    assert answers == dict.fromkeys(runs, True)


async def test_what_is_queued_while_a_flush_is_under_way_goes_with_the_next(
    url: str, connection: asyncpg.Connection
) -> None:
    answers: dict[int, bool] = {}
    runs = await running(connection, 2)
    async with recorder(url) as r:
        r.put(*told(Finish(runs[0], 1, "succeeded", 0), answers))
        await connection.execute("BEGIN; LOCK TABLE sexton.run IN EXCLUSIVE MODE")
        flushing = asyncio.create_task(r.serve())
        await asyncio.sleep(0.05)
        r.put(*told(Finish(runs[1], 2, "succeeded", 0), answers))
        await connection.execute("COMMIT")
        await flushing
        assert answers == {runs[0]: True}
        await r.serve()
    assert answers == dict.fromkeys(runs, True)


async def test_an_end_that_the_database_refuses_costs_no_other_run_its_own(
    url: str, connection: asyncpg.Connection
) -> None:
    answers: dict[int, bool] = {}
    refused: dict[int, str | None] = {}
    runs = await running(connection, 3)
    async with recorder(url) as r:
        for token, run in enumerate(runs, 1):
            result = '{"deep": ' + "[" * 20_000 + "]" * 20_000 + "}" if token == 2 else '{"fine": 1}'
            r.put(*told(Finish(run, token, "succeeded", 0, result=result), answers, refused))
        await r.serve()
        assert r.pending == 0
    found = [await the_run(connection, run) for run in runs]
    assert answers == dict.fromkeys(runs, True)
    assert [refused[run] for run in runs] == [None, found[1]["error"], None]  # so it is announced as what it is
    assert [f["state"] for f in found] == ["succeeded", "failed", "succeeded"]
    assert found[1]["error"].startswith("its end could not be recorded: StatementTooComplexError")
