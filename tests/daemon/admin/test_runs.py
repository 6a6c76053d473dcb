"""Runs over HTTP: found, looked at, and acted on, all of those named or none."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from typing import Any

import asyncpg
import httpx
from hypothesis import given
from hypothesis import strategies as st

from daemon.admin.paging import decoded, encoded
from daemon.admin.problems import Problematic
from tests.daemon.actions_house import AFTER, HAND, MONEY, TICK, add_run, audit, run_of
from tests.daemon.admin.house import House

JOBS = (AFTER, HAND, MONEY, TICK)
RUNS = "/api/v1/runs"


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


async def every_page(client: httpx.AsyncClient, **params: Any) -> list[int]:
    """The ids of all pages, one after the other."""
    found: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = good(await client.get(RUNS, params={**params, **cursor}))
        assert len(page["items"]) <= params["limit"]
        found += [run["id"] for run in page["items"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


async def test_pages_of_any_size_hold_each_run_once_and_in_order(
    open_house: House, connection: asyncpg.Connection
) -> None:
    made = [await add_run(connection, job, "succeeded", day) for day in range(6) for job in (MONEY, TICK)]
    newest_first = sorted(made, reverse=True)
    of_money = [run for run in newest_first if (made.index(run) % 2) == 0]
    for limit in (1, 2, 5, 11, 12, 13):
        assert await every_page(open_house.viewer, limit=limit) == newest_first
        assert await every_page(open_house.viewer, limit=limit, job="test.money") == of_money


async def test_runs_that_come_meanwhile_shift_no_page(open_house: House, connection: asyncpg.Connection) -> None:
    made = [await add_run(connection, TICK, "succeeded", day) for day in range(4)]
    first = good(await open_house.viewer.get(RUNS, params={"limit": 2}))
    await add_run(connection, TICK, "succeeded", 9)
    second = good(await open_house.viewer.get(RUNS, params={"limit": 2, "cursor": first["next"]}))
    assert [run["id"] for run in first["items"] + second["items"]] == made[::-1]


@given(st.tuples(st.datetimes(timezones=st.just(UTC)), st.integers(-(2**63) + 1, 2**63 - 1)))
def test_a_cursor_is_read_as_it_was_written(key: tuple[Any, ...]) -> None:
    assert decoded(encoded(key), type(key[0]), int) == key


@given(st.text(max_size=60))
def test_any_other_cursor_is_refused_and_never_a_fault(text: str) -> None:
    with suppress(Problematic):  # anything else fails the test
        assert isinstance(decoded(text, int)[0], int)


async def test_a_cursor_of_another_list_is_refused(open_house: House) -> None:
    answer = await open_house.viewer.get(RUNS, params={"cursor": encoded(("a name",))})
    assert (answer.status_code, answer.json()["title"]) == (422, "Unprocessable Entity")


async def test_runs_are_filtered_by_everything_at_once(open_house: House, connection: asyncpg.Connection) -> None:
    failed = await add_run(connection, TICK, "failed", 1, error="ValueError: x" * 100)
    await add_run(connection, TICK, "failed", 5)
    await add_run(connection, MONEY, "failed", 1)
    await add_run(connection, TICK, "held", 2)
    params = {
        "job": "test.tick", "state": ["failed", "missed"], "trigger": "schedule", "since": "2026-11-20T00:00:00Z",
        "until": "2026-11-22T00:00:00Z",
    }  # fmt: skip
    (found,) = good(await open_house.viewer.get(RUNS, params=params))["items"]
    assert found["id"] == failed
    assert len(found["error"]) == 500
    assert good(await open_house.viewer.get(RUNS, params={"job": "gone.job"}))["items"] == []
    assert (await open_house.viewer.get(RUNS, params={"state": "odd"})).status_code == 422
    assert len(good(await open_house.viewer.get(RUNS, params={"suite": "test"}))["items"]) in (0, 4)


async def test_a_run_is_shown_with_its_tries_and_its_log(open_house: House, connection: asyncpg.Connection) -> None:
    run = await add_run(connection, TICK, "failed", args='{"a": 1}', result="[2]", cursor='"c"', attempt=2)
    await connection.execute(
        "INSERT INTO sexton.attempt (run, number, outcome, finished_at, error, traceback) "
        "VALUES ($1, 1, 'failed', sexton.clock(), 'ValueError: x', 'Traceback …')",
        run,
    )
    await connection.execute(
        "INSERT INTO sexton.run_log (run, seq, at, level, line) "
        "SELECT $1, n, sexton.clock(), 'info', 'line ' || n FROM generate_series(1, 5) n",
        run,
    )
    shown = good(await open_house.viewer.get(f"{RUNS}/{run}"))
    assert (shown["args"], shown["result"], shown["cursor"]) == ({"a": 1}, [2], "c")
    assert [(a["number"], a["traceback"]) for a in shown["attempts"]] == [(1, "Traceback …")]
    first = good(await open_house.viewer.get(f"{RUNS}/{run}/log", params={"limit": 3}))
    rest = good(await open_house.viewer.get(f"{RUNS}/{run}/log", params={"after": first["after"]}))
    assert [line["line"] for line in first["lines"] + rest["lines"]] == [f"line {n}" for n in range(1, 6)]
    assert rest["ended"]


async def test_a_run_that_is_not_there_is_404_whatever_is_asked_of_it(open_house: House) -> None:
    assert (await open_house.viewer.get(f"{RUNS}/999")).status_code == 404
    assert (await open_house.viewer.get(f"{RUNS}/999/log")).status_code == 404
    assert (await open_house.viewer.get(f"{RUNS}/0")).status_code == 422
    for deed in ("cancel", "retry", "release", "waive"):
        answer = await open_house.operator.post(f"{RUNS}/999/{deed}")
        assert (answer.status_code, answer.json()["problems"]) == (404, ["there is no run 999"])


async def test_what_keeps_a_run_from_beginning_is_said(open_house: House, connection: asyncpg.Connection) -> None:
    earlier = await add_run(connection, MONEY, "failed")
    later = await add_run(connection, MONEY, "ready", 1)
    waits = good(await open_house.viewer.get(f"{RUNS}/{later}"))["waits_for"]
    assert any(f"run {earlier}, due at" in sentence and "it comes first" in sentence for sentence in waits)
    held = await add_run(connection, TICK, "held")
    assert good(await open_house.viewer.get(f"{RUNS}/{held}"))["waits_for"] == ["a person: a test"]


async def test_each_action_changes_its_runs_and_is_audited(open_house: House, connection: asyncpg.Connection) -> None:
    cancelled = await add_run(connection, TICK, "ready", 1)
    failed = await add_run(connection, TICK, "failed", 2)
    held = await add_run(connection, TICK, "held", 3)
    waived = await add_run(connection, MONEY, "failed", 4)
    why = {"reason": "because"}
    for run, action, state in (
        (cancelled, "cancel", "cancelled"), (failed, "retry", "ready"), (held, "release", "ready"),
        (waived, "waive", "cancelled"),
    ):  # fmt: skip
        changed = good(await open_house.operator.post(f"{RUNS}/{run}/{action}", json=why))
        assert (changed["id"], changed["state"]) == (run, state)
        assert (await run_of(connection, run))["state"] == state
    assert [
        (row["action"], row["who"], row["reason"]) for row in await audit(connection) if "run" in row["target"]
    ] == [(action, "otto", "because") for action in ("cancel", "retry", "release", "waive")]


async def test_of_several_runs_all_are_changed_or_none(open_house: House, connection: asyncpg.Connection) -> None:
    failed, done = await add_run(connection, TICK, "failed"), await add_run(connection, TICK, "succeeded", 1)
    answer = await open_house.operator.post(f"{RUNS}/retry", json={"runs": [failed, done], "reason": "x"})
    assert answer.status_code == 409
    assert "has succeeded" in answer.json()["problems"][0]
    assert (await run_of(connection, failed))["state"] == "failed"
    answer = await open_house.operator.post(f"{RUNS}/retry", json={"runs": [failed], "reason": "x"})
    assert [run["state"] for run in good(answer)] == ["ready"]
