"""Delivery through death, fencing, a lost database and a stop: nothing is lost, and what repeats has its Message-ID."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path
from uuid import UUID, uuid4

import anyio
import asyncpg
import pytest

from daemon.channels.channel import Delivery, Verdict
from daemon.delivery_results import ENOUGH
from daemon.events import DatabaseBack, DatabaseLost, LeaseLost, MessageGivenUp, Rescued
from tests.daemon.cuttable import wire
from tests.daemon.harness import rows
from tests.daemon.mail import MailServer, SmtpChannel, leave, mail_server, states
from tests.daemon.test_delivery import OUTBOX, deliverer, office, settled

ROOT = Path(__file__).parents[2]


async def held_by_the_dead(connection: asyncpg.Connection, **columns: object) -> UUID:
    """A message that a dead node had claimed; nobody knows how far it came."""
    dead = uuid4()
    await connection.execute(
        "INSERT INTO sexton.node (incarnation, name, home, version, lease_until) "
        "VALUES ($1, 'gone', '/elsewhere', '0', sexton.clock() - interval '1 second')",
        dead,
    )
    await leave(connection, **columns)
    await connection.execute(
        "UPDATE sexton.outbox SET state = 'sending', attempts = attempts + 1, token = nextval('sexton.token'), "
        "lease_owner = $1 WHERE state = 'pending'",
        dead,
    )
    return dead


async def test_a_dead_nodes_mail_is_sent_again_under_the_same_message_id(
    url: str, connection: asyncpg.Connection
) -> None:
    await held_by_the_dead(connection)
    async with mail_server() as server:
        channel = SmtpChannel(server.port)
        async with office(url, channel, lease=0.6) as n:
            assert (await n.event(Rescued)).messages == 1
            await settled(n, "sent", 1)
        assert server.ids == ["<m1@example.org>"]
    assert [m.repeated for m in channel.sent] == [True]


async def test_a_dead_nodes_text_message_is_not_sent_again_but_for_a_code_once(
    url: str, connection: asyncpg.Connection
) -> None:
    sms = {"channel": "sms", "template": "bell"}
    await held_by_the_dead(connection, **sms, address="+41790000001")
    await held_by_the_dead(connection, **sms, address="+41790000002", kind="security")
    await held_by_the_dead(connection, **sms, address="+41790000003", kind="security")
    await connection.execute("UPDATE sexton.outbox SET attempts = 2 WHERE address = '+41790000003'")
    channel = SmtpChannel(0, name="sms", verdict=Delivery(Verdict.SENT))
    async with office(url, channel, lease=0.6) as n:
        await n.event(MessageGivenUp, lambda e: e.state == "unknown", count=2)
        await settled(n, "sent", 1)
    assert [m.address for m in channel.sent] == ["+41790000002"]
    found = {r["address"]: r["state"] for r in await rows(connection, OUTBOX)}
    assert found == {"+41790000001": "unknown", "+41790000002": "sent", "+41790000003": "unknown"}


async def test_a_claim_that_commits_after_its_nodes_burial_is_found(url: str, connection: asyncpg.Connection) -> None:
    dead = await held_by_the_dead(connection)
    await connection.execute("UPDATE sexton.node SET dead_at = sexton.clock() WHERE incarnation = $1", dead)
    async with mail_server() as server, office(url, SmtpChannel(server.port), lease=0.6):
        await server.has(1)


async def test_a_claim_whose_answer_got_lost_is_given_back_unharmed(url: str, connection: asyncpg.Connection) -> None:
    async with office(url, SmtpChannel(0, name="sms", verdict=Delivery(Verdict.SENT))) as n:
        await leave(connection, channel="sms", address="+41790000001", template="bell")
        await settled(n, "sent", 1)
        await connection.execute(
            "UPDATE sexton.outbox SET state = 'sending', lease_owner = $1, attempts = 1, settled_at = NULL",
            n.engine.lease.incarnation,
        )
        n.engine.post.wake()
        await settled(n, "sent", 2)
    assert [r["attempts"] for r in await rows(connection, OUTBOX)] == [1]


async def test_what_was_sent_while_the_database_went_away_is_written_when_it_is_back_and_not_sent_again(
    url: str, connection: asyncpg.Connection
) -> None:
    await leave(connection, 40)
    async with mail_server() as server, wire(url) as cable:
        server.hold = asyncio.Event()
        channel = SmtpChannel(server.port)
        async with office(cable.url, channel) as n:
            await server.has(channel.concurrency)  # that many are in flight
            await cable.cut()
            n.engine.ticker.forget()
            n.engine.wake("ticker", "lease", "dispatcher")
            await n.event(DatabaseLost)
            server.hold.set()
            async with asyncio.timeout(60):
                while deliverer(n).busy:
                    await asyncio.sleep(0.005)
            assert len(channel.sent) == channel.concurrency  # what was not begun was not begun
            await cable.mend()
            await n.event(DatabaseBack)
            await settled(n, "sent", 40)
    assert max(Counter(server.ids).values()) == 1
    assert await states(connection) == {"sent": 40}
    assert {r["attempts"] for r in await rows(connection, OUTBOX)} == {1}


async def test_a_result_that_comes_after_the_message_was_taken_over_is_not_written(
    url: str, connection: asyncpg.Connection
) -> None:
    await leave(connection)
    async with mail_server() as server:
        server.hold = asyncio.Event()
        async with office(url, SmtpChannel(server.port)) as n:
            await server.has(1)
            other = uuid4()
            await connection.execute(
                "UPDATE sexton.outbox SET token = nextval('sexton.token'), lease_owner = $1, last_error = 'mine now'",
                other,
            )
            server.hold.set()
            async with asyncio.timeout(60):
                while n.engine.post.busy:
                    await asyncio.sleep(0.005)
            (row,) = await rows(connection, OUTBOX)
    assert (row["state"], row["lease_owner"], row["last_error"]) == ("sending", other, "mine now")


async def test_a_node_declared_dead_stops_sending_and_goes_on_under_a_new_name(
    url: str, connection: asyncpg.Connection
) -> None:
    await leave(connection, 3)
    async with mail_server() as server:
        server.hold = asyncio.Event()
        async with office(url, SmtpChannel(server.port, concurrency=1), lease=0.6) as n:
            await server.has(1)
            await connection.execute("UPDATE sexton.node SET dead_at = sexton.clock()")
            await n.event(LeaseLost)
            server.hold.set()
            await settled(n, "sent", 3)
    counts = Counter(server.ids)
    assert set(counts) == {"<m1@example.org>", "<m2@example.org>", "<m3@example.org>"}
    assert counts["<m1@example.org>"] == 2  # in flight when it was cut short: it may have arrived, and it had
    assert await states(connection) == {"sent": 3}


async def test_a_stop_lets_what_is_in_flight_end_and_gives_the_rest_back(
    url: str, connection: asyncpg.Connection
) -> None:
    await leave(connection, 20)
    async with mail_server() as server:
        server.hold = asyncio.Event()
        async with office(url, SmtpChannel(server.port, concurrency=2)) as n:
            await server.has(2)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(n.engine.drain, 10.0, anyio.Event())
                await settled(n, "pending", 18)  # given back before anything ends
                assert await states(connection) == {"pending": 18, "sending": 2}
                server.hold.set()
            assert not n.engine.post.busy
            assert await states(connection) == {"pending": 18, "sent": 2}
    assert {(r["state"], r["attempts"]) for r in await rows(connection, OUTBOX)} == {("pending", 0), ("sent", 1)}


@pytest.mark.parametrize(("channel", "ends"), [("email", "pending"), ("sms", "unknown")])
async def test_a_stop_in_a_hurry_cuts_short_what_is_in_flight(
    url: str, connection: asyncpg.Connection, channel: str, ends: str
) -> None:
    await leave(connection, 3, channel=channel)
    async with mail_server() as server:
        server.hold = asyncio.Event()
        async with office(url, SmtpChannel(server.port, name=channel, concurrency=1)) as n:
            await server.has(1)
            hurry = anyio.Event()
            hurry.set()
            await n.engine.drain(10.0, hurry)
            await n.engine.interrupt("stopped by the test")
            assert not n.engine.post.busy
    found = [(r["state"], r["attempts"], r["lease_owner"]) for r in await rows(connection, OUTBOX)]
    assert found == [(ends, 1, None), ("pending", 0, None), ("pending", 0, None)]


async def test_an_idle_office_does_not_hold_up_a_stop(url: str) -> None:
    async with office(url, SmtpChannel(0)) as n:
        began = asyncio.get_running_loop().time()
        assert await n.engine.drain(3600.0, anyio.Event())
        assert asyncio.get_running_loop().time() - began < 60


async def test_two_nodes_share_the_work_and_repeat_nothing(url: str, connection: asyncpg.Connection) -> None:
    await leave(connection, 1500)
    one, other = SmtpChannel(0), SmtpChannel(0)
    async with mail_server() as server:
        one.port = other.port = server.port
        server.hold = asyncio.Event()
        async with office(url, one, home="/a") as a, office(url, other, home="/b") as b:
            await server.has(one.concurrency + other.concurrency)
            assert (len(one.sent), len(other.sent)) == (one.concurrency, other.concurrency)
            server.hold.set()
            for n in (a, b):
                await settled(n, "sent", 300)
            async with asyncio.timeout(60):
                while (await states(connection)).get("sent") != 1500:
                    await asyncio.sleep(0.05)
    assert len(server.ids) == len(set(server.ids)) == 1500


async def killed_at_random(url: str, server: MailServer, chance: random.Random, until: int) -> None:
    """A process that delivers, killed once it has sent a few more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.daemon.mail_node", url, str(server.port), cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await server.has(min(len(server.received) + chance.randint(1, 60), until))
        await asyncio.sleep(chance.random() * 0.05)
    finally:
        process.kill()
        await process.wait()


async def test_killed_again_and_again_in_the_middle_of_sending_it_loses_nothing(
    url: str, connection: asyncpg.Connection
) -> None:
    """What repeats is what was in flight, or sent and not yet written, at each kill."""
    kills, messages, chance = 6, 400, random.Random(7)
    await leave(connection, messages)
    async with mail_server() as server:
        for _ in range(kills):
            await killed_at_random(url, server, chance, messages)
        async with office(url, SmtpChannel(server.port), home="/mail"):
            async with asyncio.timeout(60):
                while (await states(connection)).get("sent") != messages:
                    await asyncio.sleep(0.05)
    counts = Counter(server.ids)
    assert set(counts) == {f"<m{i}@example.org>" for i in range(1, messages + 1)}
    assert sum(counts.values()) - messages <= kills * (2 * ENOUGH + 8)
    assert {r["failures"] for r in await rows(connection, OUTBOX)} == {0}
