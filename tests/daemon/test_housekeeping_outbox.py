"""Messages leave when their retention ends; their keys stay, so that none is sent again."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from daemon import catalogue
from daemon.database import Link, Outage
from daemon.events import Announcer
from daemon.housekeeping import Housekeeper
from daemon.roster import Roster
from tests.daemon.harness import rows
from tests.daemon.mail import leave

KEPT = timedelta(days=30)


async def tidied(url: str, times: int = 1) -> None:
    emit = Announcer()
    link = Link(lambda: url, lambda: "sexton test", Outage(emit))
    keeper = Housekeeper(link, Roster(catalogue.of([]), emit), emit, KEPT)
    await keeper.step()  # a start has better things to do
    for _ in range(times):
        await keeper.step()
    await link.close()


async def settle(connection: asyncpg.Connection, state: str, days: int) -> None:
    await connection.execute(
        "UPDATE sexton.outbox SET state = $1, settled_at = sexton.clock() - make_interval(days => $2) "
        "WHERE state = 'pending'", state, days,
    )  # fmt: skip


async def keys(connection: asyncpg.Connection) -> list[str]:
    return [row["dedupe_key"] for row in await rows(connection, "SELECT dedupe_key FROM sexton.outbox ORDER BY id")]


async def test_an_old_message_leaves_an_hour_after_its_key_is_kept(url: str, connection: asyncpg.Connection) -> None:
    for state, days in (("sent", 31), ("failed", 40), ("suppressed", 29), ("unknown", 31)):
        await leave(connection)
        await settle(connection, state, days)
    await leave(connection)
    await connection.execute(
        "UPDATE sexton.outbox SET created_at = created_at - interval '90 days' WHERE dedupe_key = 'm5'"
    )
    await tidied(url, times=2)
    assert await keys(connection) == ["m1", "m2", "m3", "m4", "m5"]
    kept = await rows(connection, "SELECT hash FROM sexton.outbox_key")
    assert len(kept) == 3
    await connection.execute("UPDATE sexton.outbox_key SET at = at - interval '1 hour'")
    await tidied(url)
    assert await keys(connection) == ["m3", "m5"]
    assert await rows(connection, "SELECT hash FROM sexton.outbox_key") == kept


async def test_more_than_one_batch_leaves_in_one_round(url: str, connection: asyncpg.Connection) -> None:
    await leave(connection, 5001)
    await settle(connection, "sent", 31)
    await tidied(url)
    await connection.execute("UPDATE sexton.outbox_key SET at = at - interval '1 hour'")
    await tidied(url)
    assert await keys(connection) == []
    assert await connection.fetchval("SELECT count(*) FROM sexton.outbox_key") == 5001


async def test_keys_are_forgotten_after_more_than_a_year(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO sexton.outbox_key VALUES ('\\x01', sexton.clock() - interval '399 days'), "
        "('\\x02', sexton.clock() - interval '401 days')"
    )
    await tidied(url)
    assert [row["hash"] for row in await rows(connection, "SELECT hash FROM sexton.outbox_key")] == [b"\x01"]


async def test_what_expired_while_there_was_no_channel_is_settled(url: str, connection: asyncpg.Connection) -> None:
    now = await connection.fetchval("SELECT sexton.clock()")
    await leave(connection, expires_at=now - timedelta(minutes=11))
    await leave(connection, expires_at=now - timedelta(minutes=9))  # for whoever delivers, who tells of it
    await tidied(url)
    found = [
        (row["state"], row["last_error"]) for row in await rows(connection, "SELECT * FROM sexton.outbox ORDER BY id")
    ]
    assert found == [("suppressed", "expired"), ("pending", None)]
