"""Leaving a message in a job's own transaction: with its effects or not at all, once a key, refused with a reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from daemon import Context, OnDemand, Transaction
from daemon.outbox import Letter, MessageError
from daemon.testing import PerformedRun, perform
from tests.daemon import mail_suite
from tests.daemon.harness import a_job, rows

DUE = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
LEFT = "SELECT * FROM sexton.outbox ORDER BY id"


async def performed(
    url: str, leave: Callable[[Transaction], Awaitable[Any]], suite: str = "test", due: datetime = DUE
) -> PerformedRun:
    """A run whose only transaction is `leave`, of a suite with templates."""

    async def body(ctx: Context) -> None:
        async with ctx.completing() as tx:
            tx.result(await leave(tx))

    body.__module__ = f"{mail_suite.__name__}.job"
    return await perform(a_job(body, OnDemand(), f"{suite}.job"), url=url, due_at=due)


async def test_a_message_is_left_with_the_transaction(url: str, connection: asyncpg.Connection) -> None:
    async def leave(tx: Transaction) -> bool:
        return await tx.notify(
            "hello", to=42, key="hello:42", data={"name": "Asha", "at": DUE}, kind="promotional",
            not_before=DUE, expires_at=DUE + timedelta(days=1),
        )  # fmt: skip

    run = await performed(url, leave)
    assert (run.ending, run.result) == ("succeeded", True)
    (row,) = await rows(connection, LEFT)
    wanted = {
        "suite": "test", "recipient": "42", "address": None, "channel": "email", "template": "hello",
        "data": '{"at": "2026-03-01T18:30:00+00:00", "name": "Asha"}', "kind": "promotional", "dedupe_key": "hello:42",
        "state": "pending", "not_before": DUE, "expires_at": DUE + timedelta(days=1), "run": run.id, "attempts": 0,
    }  # fmt: skip
    assert {key: row[key] for key in wanted} == wanted


async def test_what_fails_leaves_no_message(url: str, connection: asyncpg.Connection) -> None:
    async def leave(tx: Transaction) -> bool:
        await tx.notify("hello", to=1, key="k")
        raise RuntimeError("after the message")

    assert (await performed(url, leave)).ending == "failed"
    assert await rows(connection, LEFT) == []


async def test_a_key_makes_one_message(url: str, connection: asyncpg.Connection) -> None:
    async def leave(tx: Transaction) -> list[bool]:
        return [await tx.notify("hello", to=1, key="k"), await tx.notify("hello", to=2, key="k")]

    assert (await performed(url, leave)).result == [True, False]
    assert (await performed(url, leave, due=DUE + timedelta(days=1))).result == [False, False]
    assert [row["recipient"] for row in await rows(connection, LEFT)] == ["1"]


async def test_a_key_whose_message_was_purged_makes_none(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("INSERT INTO sexton.outbox_key (hash) VALUES (sha256(convert_to('ключ', 'UTF8')))")

    async def leave(tx: Transaction) -> list[bool]:
        return [await tx.notify("hello", to=1, key="ключ"), await tx.notify("hello", to=1, key="new")]

    assert (await performed(url, leave)).result == [False, True]


async def test_a_key_that_another_suite_has_taken_is_refused(url: str, connection: asyncpg.Connection) -> None:
    async def leave(tx: Transaction) -> bool:
        return await tx.notify("hello", to=1, key="welcome:1")

    await performed(url, leave)
    run = await performed(url, leave, suite="tea")
    assert run.ending == "failed"
    assert "key='welcome:1': taken by a message of 'test'; begin keys with 'tea'" in (run.error or "")


async def test_without_a_template_a_message_is_refused_with_the_file_wanted(url: str) -> None:
    async def leave(tx: Transaction) -> bool:
        return await tx.notify("goodbye", to=1, key="k")

    run = await performed(url, leave)
    assert run.ending == "failed"
    assert "template='goodbye': there is no " in (run.error or "")
    assert "mail_suite/templates/goodbye.subject.txt" in (run.error or "")


@pytest.mark.parametrize("channel", ["slack", "discord"])
async def test_a_chat_channel_has_one_target_and_needs_nobody(
    url: str, connection: asyncpg.Connection, channel: str
) -> None:
    async def leave(tx: Transaction) -> bool:
        return await tx.notify("bell", channel=channel, key="k")

    assert (await performed(url, leave)).result is True
    (row,) = await rows(connection, LEFT)
    assert (row["recipient"], row["address"]) == (None, "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"channel": "emial"}, "channel='emial': one of email, sms, slack, discord; did you mean 'email'?"),
        ({"kind": "urgent"}, "kind='urgent': one of transactional, security, promotional, alert"),
        ({"key": ""}, "key='': 1 to 500 characters"),
        ({"key": "k" * 501}, "1 to 500 characters"),
        ({"address": "a@example.org"}, "to=1 and address='a@example.org': give one of them"),
        ({"to": None}, "nobody to write to: give to="),
        ({"to": None, "address": "a@example.org\r\nBcc: b@example.org"}, "one line of at most 320 characters"),
        ({"to": None, "address": " "}, "one line of at most 320 characters"),
        ({"not_before": datetime(2026, 1, 1)}, "not_before=2026-01-01 00:00:00: without a zone"),  # noqa: DTZ001
        ({"not_before": DUE, "expires_at": DUE}, "is not after not_before="),
    ],
)
def test_what_cannot_become_a_message_is_refused_with_what_to_write(given: dict[str, Any], said: str) -> None:
    with pytest.raises(MessageError) as refused:
        Letter(**({"template": "hello", "key": "k", "to": 1} | given))
    assert said in str(refused.value)


async def test_data_that_json_cannot_keep_is_refused_by_its_type(url: str) -> None:
    async def leave(tx: Transaction) -> bool:
        return await tx.notify("hello", to=1, key="k", data={"name": object()})

    assert "a object cannot be kept as JSON" in ((await performed(url, leave)).error or "")


async def test_text_that_the_database_cannot_keep_does_not_stand_in_the_way(
    url: str, connection: asyncpg.Connection
) -> None:
    async def leave(tx: Transaction) -> bool:
        return await tx.notify("hello", to=1, key="a\0b", data={"name": "\0\ud800"})

    assert (await performed(url, leave)).result is True
    assert await connection.fetchval("SELECT dedupe_key FROM sexton.outbox") == "a\ufffdb"


async def test_a_suite_may_leave_many_in_one_statement(connection: asyncpg.Connection) -> None:
    insert = (
        "INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key) "
        "SELECT 'test', n::text, 'email', 'digest', jsonb_build_object('n', n), 'promotional', 'digest:' || n "
        "FROM generate_series(1, 20000) n ON CONFLICT (dedupe_key) DO NOTHING"
    )
    heard: list[object] = []
    await connection.add_listener("sexton", lambda *said: heard.append(said[-1]))
    assert await connection.execute(insert) == "INSERT 0 20000"
    assert await connection.execute(insert) == "INSERT 0 0"
    await connection.execute("SELECT")
    assert heard == ["outbox", "outbox"]  # once a statement


@pytest.mark.parametrize(
    "columns",
    ["suite, template, dedupe_key", "suite, recipient, address, template, dedupe_key"],
)
async def test_the_table_refuses_a_message_to_nobody_and_one_to_two(
    connection: asyncpg.Connection, columns: str
) -> None:
    values = ", ".join("'x'" for _ in columns.split(","))
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(f"INSERT INTO sexton.outbox ({columns}) VALUES ({values})")
