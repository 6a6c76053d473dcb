"""Rows leave the ledger when their job's retention has ended, in batches, and never while a person is waited for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from daemon import OnDemand, catalogue
from daemon.database import Link, Outage
from daemon.events import Event, Note
from daemon.housekeeping import EVERY, FIRST_AFTER, Housekeeper
from daemon.roster import Roster
from tests.daemon.asking import ask
from tests.daemon.harness import a_job, rows

OLD = datetime.now(UTC) - timedelta(days=40)
NODE = "00000000-0000-0000-0000-000000000001"


async def _nothing(_: object) -> None: ...


@asynccontextmanager
async def housekeeper(url: str, heard: list[Event] | None = None) -> AsyncIterator[Housekeeper]:
    emit = (heard if heard is not None else []).append
    jobs = [
        a_job(_nothing, OnDemand(), "t.month", retention=timedelta(days=31)),
        a_job(_nothing, OnDemand(), "t.money", retention=timedelta(days=8 * 365)),
    ]
    link = Link(lambda: url, lambda: "sexton test", Outage(emit))
    made = Housekeeper(link, Roster(catalogue.of(jobs), emit), emit)
    assert await made.step() == FIRST_AFTER
    try:
        yield made
    finally:
        await link.close()


async def kept(connection: asyncpg.Connection) -> list[int]:
    return [r["id"] for r in await rows(connection, "SELECT id FROM sexton.run ORDER BY id")]


async def test_each_job_keeps_its_rows_as_long_as_it_says(url: str, connection: asyncpg.Connection) -> None:
    old: dict[str, Any] = {"state": "succeeded", "finished_at": OLD}
    await ask(connection, "t.month", due_at=OLD, **old)
    money = await ask(connection, "t.money", due_at=OLD, **old)
    unknown = await ask(connection, "t.deleted", due_at=OLD, **old)
    fresh = await ask(connection, "t.month", state="succeeded", finished_at=datetime.now(UTC))
    async with housekeeper(url) as keeper:
        assert await keeper.step() == EVERY
    assert await kept(connection) == [money, unknown, fresh]


@pytest.mark.parametrize(
    ("columns", "stays"),
    [
        ({"state": "succeeded"}, False),
        ({"state": "failed"}, False),
        ({"state": "skipped", "reason": "x"}, False),
        ({"state": "failed", "strict": True, "waived_by": "asha"}, False),
        ({"state": "failed", "strict": True}, True),
        ({"state": "held", "reason": "x", "finished_at": None}, True),
        ({"state": "ready", "finished_at": None}, True),
        ({"state": "waiting", "finished_at": None}, True),
        ({"state": "running", "token": 1, "node": NODE, "finished_at": None}, True),
        ({"state": "succeeded", "finished_at": datetime.now(UTC)}, True),
        ({"state": "skipped", "reason": "x", "due_until": datetime.now(UTC), "count": 9}, True),
    ],
)
async def test_nothing_goes_that_somebody_still_waits_for_or_that_has_only_just_ended(
    url: str, connection: asyncpg.Connection, columns: dict[str, Any], stays: bool
) -> None:
    run = await ask(connection, "t.month", due_at=OLD, **{"finished_at": OLD, **columns})
    async with housekeeper(url) as keeper:
        await keeper.step()
    assert await kept(connection) == ([run] if stays else [])


async def test_a_large_backlog_goes_in_batches_with_all_that_hangs_on_it(
    url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, not_before, finished_at) SELECT 't.month', "
        "$1::timestamptz - n * interval '1 s', '2026-01-01', 'schedule', 'succeeded', $1, $1 "
        "FROM generate_series(1, 2500) n",
        OLD,
    )
    await connection.execute(
        "INSERT INTO sexton.run_log (run, seq, at, level, line) SELECT id, 1, now(), 'info', 'x' FROM sexton.run"
    )
    async with housekeeper(url) as keeper:
        await keeper.step()
    assert await connection.fetchval("SELECT count(*) FROM sexton.run") == 0
    assert await connection.fetchval("SELECT count(*) FROM sexton.run_log") == 0


async def test_one_node_tidies_at_a_time(url: str, connection: asyncpg.Connection) -> None:
    run = await ask(connection, "t.month", due_at=OLD, state="succeeded", finished_at=OLD)
    await connection.execute("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('sexton.housekeeping', 0))")
    async with housekeeper(url) as keeper:
        await keeper.step()
        assert await kept(connection) == [run]
        await connection.execute("COMMIT")
        await keeper.step()
    assert await kept(connection) == []


async def test_a_job_held_by_a_run_that_is_over_is_freed_aloud(url: str, connection: asyncpg.Connection) -> None:
    over, ready = await ask(connection, "t.month", state="succeeded"), await ask(connection, "t.money")
    await connection.execute(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until, running_run) "
        "VALUES ('t.month', 'ondemand', now(), $1), ('t.money', 'ondemand', now(), $2)",
        over, ready,
    )  # fmt: skip
    heard: list[Event] = []
    async with housekeeper(url, heard) as keeper:
        await keeper.step()
    found = await rows(connection, "SELECT name, running_run FROM sexton.job ORDER BY name")
    assert [r["running_run"] for r in found] == [ready, None]
    assert [e.text for e in heard if isinstance(e, Note)] == [
        "t.month was held by a run that is over, and is free again"
    ]


async def test_old_events_and_long_dead_nodes_go_too(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO sexton.event (kind, dispatched_at) VALUES ('old', now() - interval '31 days'), ('new', now()); "
        "INSERT INTO sexton.event (kind, at) VALUES ('untold', now() - interval '99 days'); "
        "INSERT INTO sexton.node (incarnation, name, home, version, lease_until, dead_at) SELECT gen_random_uuid(), n, "
        "'/', '0', now(), now() - d * interval '1 day' FROM (VALUES ('old', 8), ('new', 6), ('alive', NULL)) v (n, d)"
    )
    async with housekeeper(url) as keeper:
        await keeper.step()
    kinds = [r["kind"] for r in await rows(connection, "SELECT kind FROM sexton.event ORDER BY id")]
    names = [r["name"] for r in await rows(connection, "SELECT name FROM sexton.node ORDER BY name")]
    assert (kinds, names) == (["new", "untold"], ["alive", "new"])


async def test_tokens_sessions_and_approvals_go_when_nobody_will_ask_for_them(
    url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO sexton.access_token (name, role, issued_by, expires_at) SELECT n, 'viewer', 'ann', now() - a "
        "FROM (VALUES ('long over', interval '91 days'), ('over', '89 days'), ('good', '-1 day')) v (n, a)"
    )
    await connection.execute(
        "INSERT INTO sexton.access_token (name, role, issued_by, expires_at, parent) "
        "SELECT 'session', 'viewer', 'ann', now() - a, (SELECT id FROM sexton.access_token WHERE name = 'good') "
        "FROM unnest(ARRAY[interval '2 days', '1 hour']) a"
    )
    await connection.execute(
        "INSERT INTO sexton.approval (action, job, payload, asked_by, origin, reason, expires_at) "
        "SELECT 'run', j, '{}', 'ann', 'cli', 'x', now() - a "
        "FROM (VALUES ('old', interval '91 days'), ('new', '1 day')) v (j, a)"
    )
    await connection.execute(
        "INSERT INTO sexton.request_key (who, key, run, at) VALUES ('ann', 'old', 1, now() - interval '25 h'), "
        "('ann', 'new', 2, now() - interval '23 h')"
    )
    async with housekeeper(url) as keeper:
        await keeper.step()
    names = [r["name"] for r in await rows(connection, "SELECT name FROM sexton.access_token ORDER BY name")]
    assert names == ["good", "over", "session"]
    assert [r["key"] for r in await rows(connection, "SELECT key FROM sexton.request_key")] == ["new"]
    assert [r["job"] for r in await rows(connection, "SELECT job FROM sexton.approval")] == ["new"]
