"""`sexton status`: is somebody at work, and what wants attention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from daemon import actions
from daemon.actions_deed import Actor
from daemon.version import VERSION
from tests.daemon.cli.console import Console
from tests.databases import on_database

KEYS = ["version", "ready", "database", "nodes", "queues", "outbox", "next_due", "attention"]
NODE = "00000000-0000-0000-0000-00000000000a"


async def add_node(
    ledger: asyncpg.Connection, *, lease: float, status: str = "{}", number: int = 10, **more: Any
) -> None:
    node = f"00000000-0000-0000-0000-0000000000{number:02x}"
    home = more.get("home", "here")
    await ledger.execute(
        "INSERT INTO sexton.node (incarnation, name, home, version, started_at, lease_until) VALUES "
        "($1, 'host', $2, '1', sexton.clock() - interval '90 s', sexton.clock() + make_interval(secs => $3))",
        node, home, lease,
    )  # fmt: skip
    await ledger.execute("INSERT INTO sexton.node_status VALUES ($1, sexton.clock(), $2::jsonb)", node, status)


async def add_run(ledger: asyncpg.Connection, job: str, state: str, ago: timedelta, **columns: Any) -> int:
    due = datetime.now(UTC) - ago
    row = {
        "job": job, "due_at": due, "logical_date": due.date(), "trigger": "schedule", "state": state,
        "not_before": due, "finished_at": due, "reason": "a reason", **columns,
    }  # fmt: skip
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    run: int = await ledger.fetchval(
        f"INSERT INTO sexton.run ({', '.join(row)}) VALUES ({places}) RETURNING id", *row.values()
    )
    return run


async def test_the_json_form_is_an_interface(sexton: Console, ledger: asyncpg.Connection) -> None:
    await add_node(
        ledger, lease=30,
        status='{"running": [{"run": 7, "job": "house.slow"}], "pool": {"size": 5, "busy": 1}, "loop_lag_ms": 1.5}',
    )  # fmt: skip
    await ledger.execute("INSERT INTO sexton.queue VALUES ('house.todo', 'item_id')")
    await ledger.execute(
        "INSERT INTO house.todo (item_id, state, enqueued_at) SELECT n, CASE WHEN n = 1 THEN 'DEAD' ELSE 'READY' END, "
        "sexton.clock() - interval '10 s' FROM generate_series(1, 3) n"
    )
    done = await sexton.beside("status", "--json")
    status = done.ok().json
    assert list(status) == KEYS
    assert (status["version"], status["ready"]) == (VERSION, True)
    assert "PostgreSQL 17" in status["database"]
    (node,) = status["nodes"]
    assert 89 < node.pop("uptime_s") < 120
    assert node == {
        "name": "host",
        "incarnation": NODE,
        "alive": True,
        "running": [{"job": "house.slow", "run": 7}],
        "pool": {"busy": 1, "size": 5},
        "loop_lag_ms": 1.5,
    }
    assert list(status["queues"]) == ["house.todo"]
    assert 9 < status["queues"]["house.todo"].pop("oldest_age_s") < 60
    assert status["queues"]["house.todo"] == {"ready": 2, "running": 0, "dead": 1}
    assert {due["job"] for due in status["next_due"]} == {"house.nightly", "house.report", "house.tick"}
    assert [list(due) for due in status["next_due"]] == [["job", "due_at"]] * 3
    assert all(datetime.fromisoformat(due["due_at"]).utcoffset() is not None for due in status["next_due"])
    assert status["attention"] == [
        {
            "kind": "dead", "queue": "house.todo", "run": None,
            "text": "1 dead; to try them again: sexton retry house.todo --all",
        }
    ]  # fmt: skip


async def test_what_wants_attention_is_grouped_by_kind_and_job(sexton: Console, ledger: asyncpg.Connection) -> None:
    hour = timedelta(hours=1)
    await add_run(ledger, "house.tick", "failed", 3 * hour, error="ValueError: old")
    failed = await add_run(ledger, "house.tick", "failed", hour, error="ValueError:\n new")
    held = await add_run(ledger, "house.nightly", "held", hour, reason="paused by bob")
    late = await add_run(ledger, "house.report", "ready", hour, reason=None)
    missed = await add_run(ledger, "house.tick", "missed", 2 * hour, reason="too late", count=4)
    await add_run(ledger, "house.slow", "failed", timedelta(days=8), error="long ago")
    await add_run(ledger, "house.report", "missed", timedelta(days=2), reason="too late")
    await add_run(ledger, "house.broken", "ready", timedelta(seconds=5), reason=None)
    await actions.pause_job(ledger, Actor("bob"), "house.nightly")
    done = await sexton.beside("status", "--json")
    assert done.status == 1  # no daemon is alive
    found = [(a["kind"], a["job"], a["run"]) for a in done.json["attention"]]
    assert found == [
        ("failed", "house.tick", failed),
        ("held", "house.nightly", held),
        ("late", "house.report", late),
        ("missed", "house.tick", missed),
        ("paused", "house.nightly", None),
    ]
    text = done.json["attention"][0]["text"]
    assert text.startswith("failed for good, 2 times, last due ")
    assert text.endswith("UTC: ValueError: new")
    assert "4 times" in done.json["attention"][3]["text"]


async def test_a_failure_that_holds_up_later_instants_is_never_forgotten(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    old = await add_run(ledger, "house.nightly", "failed", timedelta(days=60), strict=True, error="x")
    assert [a["run"] for a in (await sexton.beside("status", "--json")).json["attention"]] == [old]


@pytest.mark.parametrize(("lease", "alive"), [(30.0, True), (-1.0, False)])
async def test_a_node_is_alive_as_long_as_its_lease(
    sexton: Console, ledger: asyncpg.Connection, lease: float, alive: bool
) -> None:
    await add_node(ledger, lease=lease)
    done = await sexton.beside("status", "--json")
    assert (done.status, done.json["ready"], done.json["nodes"][0]["alive"]) == (0 if alive else 1, alive, alive)


async def test_a_command_that_performs_a_run_is_no_daemon(sexton: Console, ledger: asyncpg.Connection) -> None:
    await add_node(ledger, lease=30, home="here/command-123")
    done = await sexton.beside("status", "--json")
    assert (done.status, done.json["nodes"]) == (1, [])


async def test_a_queue_whose_table_is_gone_wants_attention(sexton: Console, ledger: asyncpg.Connection) -> None:
    await ledger.execute("INSERT INTO sexton.queue VALUES ('old.todo', 'id')")
    status = (await sexton.beside("status", "--json")).json
    assert status["queues"] == {}
    assert status["attention"][0]["queue"] == "old.todo"


async def test_people_read_sections(sexton: Console, ledger: asyncpg.Connection) -> None:
    await add_node(
        ledger, lease=30,
        status='{"running": [{"run": 7, "job": "house.slow", "done": 3, "total": 9}], "pool": {"size": 5, "busy": 1}, '
        '"loop_lag_ms": 1.5}',
    )  # fmt: skip
    out = (await sexton.beside("status")).ok().out
    assert out.startswith(f"sexton {VERSION}: ready\ndatabase: ")
    assert "house.slow (3/9)" in out
    assert "1/5" in out
    assert out.endswith("\nnothing wants attention\n")


@pytest.mark.parametrize("url", ["postgresql://x:secret@127.0.0.1:9/x", "embedded"])
def test_without_a_database_the_form_is_the_same_and_says_why(bare: Console, url: str) -> None:
    away = Console({**bare.environment, "SEXTON_DATABASE__URL": url}, bare.capture, bare.patch)
    done = away("status", "--json")
    assert done.status == 1
    assert list(done.json) == KEYS
    why = done.json["database"]
    assert "there is no database" in why or why.startswith("the database does not answer: 127.0.0.1:9/x: ")
    assert "secret" not in done.out
    assert {**done.json, "database": ""} == {
        "version": VERSION, "ready": False, "database": "", "nodes": [], "queues": {}, "outbox": {},
        "next_due": [], "attention": [],
    }  # fmt: skip
    assert "not ready" in away("status").out


def test_a_database_that_is_not_there_says_so_in_the_same_form(bare: Console, server: str) -> None:
    nowhere = Console(
        {**bare.environment, "SEXTON_DATABASE__URL": on_database(server, "no_such_house")}, bare.capture, bare.patch
    )
    done = nowhere("status", "--json")
    assert (done.status, list(done.json), done.err) == (1, KEYS, "")
    assert done.json["database"] == 'database "no_such_house" does not exist'


async def test_an_empty_database_says_what_to_run(sexton: Console, ledger: asyncpg.Connection) -> None:
    await ledger.execute("DROP SCHEMA sexton CASCADE")
    done = await sexton.beside("status", "--json")
    assert done.status == 1
    assert "run `sexton migrate`" in done.json["database"]


async def test_messages_are_shown_by_channel_and_what_holds_them_up_wants_attention(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    insert = (
        "INSERT INTO sexton.outbox (suite, address, channel, template, dedupe_key, state, settled_at) "
        "SELECT 'house', 'x', $1, 't', $1 || $2 || n, $2, sexton.clock() - $4::interval FROM generate_series(1, $3) n"
    )
    soon, long_ago = timedelta(0), timedelta(days=8)
    await ledger.execute(insert, "email", "pending", 3, soon)
    await ledger.execute(insert, "email", "failed", 2, soon)
    await ledger.execute(insert, "sms", "unknown", 1, soon)
    await ledger.execute(insert, "discord", "failed", 1, long_ago)
    await ledger.execute("INSERT INTO sexton.channel_state VALUES ('slack', '404 no_service')")
    done = await sexton.beside("status", "--json")
    assert list(done.json["outbox"]) == ["email", "sms", "slack"]
    email = done.json["outbox"]["email"]
    assert email.pop("oldest_age_s") >= 0
    assert email == {"pending": 3, "sending": 0, "failed": 2, "unknown": 0, "disabled": None}
    assert done.json["outbox"]["slack"]["disabled"] == "404 no_service"
    assert [(a["kind"], a["channel"]) for a in done.json["attention"] if "channel" in a] == [
        ("waiting", "email"), ("failed", "email"), ("unknown", "sms"), ("disabled", "slack"),
    ]  # fmt: skip
    text = (await sexton.beside("status")).out
    assert "3 messages wait: [email] is not configured" in text
    assert "404 no_service; put [slack] right and restart the daemon" in text
