"""Messages on their way: claimed, judged, sent to a real mail server, and what becomes of each answer."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import time, timedelta

import asyncpg
import pytest

from daemon.breaker import Breaker
from daemon.channel_settings import OutboxSettings
from daemon.channels.channel import Delivery, Verdict
from daemon.delivery import FLOOR, Deliverer
from daemon.events import ChannelBack, ChannelDisabled, ChannelDown, MessageGivenUp, MessagesSettled, ServiceFailed
from tests.daemon.channels.http_service import http_service
from tests.daemon.channels.mail_server import HANG, email_to
from tests.daemon.channels.mail_server import mail_server as real_mail_server
from tests.daemon.channels.test_sms import sms_to
from tests.daemon.harness import Node, node, rows
from tests.daemon.mail import PEOPLE, SmtpChannel, leave, mail_server, states

SUITE = {"test": "tests.daemon.mail_suite"}
OUTBOX = "SELECT * FROM sexton.outbox ORDER BY id"


def office(url: str, *channels: SmtpChannel, **options: object) -> AbstractAsyncContextManager[Node]:
    return node(url, channels={c.name: c for c in channels}, packages=SUITE, **options)  # type: ignore[arg-type]


async def settled(n: Node, state: str, count: int) -> None:
    """Wait until so many messages have come to a state."""
    await n.event(MessagesSettled, lambda _: sum(
        e.count for e in n.events if isinstance(e, MessagesSettled) and e.state == state) >= count)  # fmt: skip


def deliverer(n: Node, channel: str = "email") -> Deliverer:
    return n.engine.post.deliverers[channel]


async def test_every_message_arrives_once_with_its_text_and_its_key(url: str, connection: asyncpg.Connection) -> None:
    await leave(connection, 250)
    async with mail_server() as server, office(url, SmtpChannel(server.port)) as n:
        await settled(n, "sent", 250)
        assert not [e for e in n.events if isinstance(e, ServiceFailed)]
    assert sorted(server.ids) == sorted(f"<m{i}@example.org>" for i in range(1, 251))
    first = next(mail for mail in server.received if mail["Message-ID"] == "<m7@example.org>")
    assert (first["To"], first["Subject"]) == ("7@example.org", "Hello Asha")
    assert "this is number 7." in first.get_payload()
    for row in await rows(connection, OUTBOX):
        assert (row["state"], row["attempts"], row["failures"], row["last_error"]) == ("sent", 1, 0, None)
        assert row["settled_at"] is not None
        assert row["lease_owner"] is None


async def test_a_message_left_while_nothing_goes_on_is_sent_at_once(
    url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.delivery.FLOOR", 3600.0)  # so that it was told, and did not look by itself
    async with mail_server() as server, office(url, SmtpChannel(server.port)) as n:
        while not n.engine.listener.healthy:
            await asyncio.sleep(0.01)
        await leave(connection)
        async with asyncio.timeout(60):
            await server.has(1)


async def test_without_a_channel_messages_are_kept(url: str, connection: asyncpg.Connection) -> None:
    await leave(connection, 3)
    async with office(url) as n:
        assert not n.engine.post.deliverers
        assert not n.engine.post.busy
    assert await states(connection) == {"pending": 3}


async def test_a_refusal_for_now_is_tried_again_later_each_time_after_twice_the_time(
    url: str, connection: asyncpg.Connection
) -> None:
    await leave(connection)
    settings = OutboxSettings(retry_base=timedelta(milliseconds=100), max_attempts=3)
    async with mail_server() as server:
        server.answer = lambda _: "451 try later"
        channel = SmtpChannel(server.port)
        async with office(url, channel, outbox=settings) as n:
            died = await n.event(MessageGivenUp)
    assert (died.channel, died.suite, died.template, died.state) == ("email", "test", "hello", "failed")
    assert len(channel.sent) == 3
    assert [m.repeated for m in channel.sent] == [False, True, True]
    (row,) = await rows(connection, OUTBOX)
    assert (row["state"], row["attempts"], row["failures"]) == ("failed", 3, 3)
    assert row["last_error"].startswith("451")


async def test_one_bad_address_costs_only_itself_and_is_not_written_to_again(
    url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute(PEOPLE)
    await connection.execute(
        "INSERT INTO test.person (id, email) SELECT n, n || '@example.org' FROM generate_series(1, 3) n"
    )
    for person in ("1", "2", "3"):
        await leave(connection, recipient=person)
    async with mail_server() as server:
        server.answer = lambda to: "550 5.1.1 no such mailbox" if to.startswith("2@") else "250 OK"
        async with office(url, SmtpChannel(server.port)) as n:
            await n.event(MessageGivenUp)
            await settled(n, "sent", 2)
            await leave(connection, recipient="2")
            await settled(n, "suppressed", 1)
            await connection.execute("UPDATE test.person SET email = 'new@example.org' WHERE id = 2")
            await leave(connection, recipient="2")
            await settled(n, "sent", 3)
    assert [(r["state"], r["last_error"]) for r in await rows(connection, OUTBOX)][3] == ("suppressed", "hard bounce")
    assert {mail["To"] for mail in server.received} == {"1@example.org", "3@example.org", "new@example.org"}


async def test_a_template_that_raises_costs_only_its_own_message(url: str, connection: asyncpg.Connection) -> None:
    await leave(connection, template="broken")
    await leave(connection, 2)
    async with mail_server() as server, office(url, SmtpChannel(server.port)) as n:
        await settled(n, "sent", 2)
        await settled(n, "pending", 1)
    row = (await rows(connection, OUTBOX))[0]
    assert (row["state"], row["failures"]) == ("pending", 1)
    assert "broken.txt" in row["last_error"]


async def test_whoever_waits_for_a_code_does_not_wait_behind_a_heap_of_digests(
    url: str, connection: asyncpg.Connection
) -> None:
    await leave(connection, 600, kind="promotional")
    await leave(connection, kind="security")
    async with mail_server() as server, office(url, SmtpChannel(server.port, concurrency=1)) as n:
        await settled(n, "sent", 1)
    assert server.ids[0] == "<m601@example.org>"


async def test_people_who_are_gone_or_refuse_are_not_written_to(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute(PEOPLE)
    await connection.execute(
        "INSERT INTO test.person (id, email, deleted, opted_out) VALUES (1, 'a@example.org', true, NULL), "
        "(2, 'b@example.org', false, '{promotional}'), (3, NULL, false, NULL), (4, 'd@example.org', NULL, '{sms}')"
    )
    for person in ("1", "2", "3", "4", "5"):
        await leave(connection, recipient=person, kind="promotional", expires_at=None)
    await connection.execute("UPDATE test.person SET quiet_start = '00:00', quiet_end = '00:00'")
    async with mail_server() as server, office(url, SmtpChannel(server.port)) as n:
        await settled(n, "suppressed", 4)
        await settled(n, "sent", 1)
    assert [r["last_error"] for r in await rows(connection, OUTBOX)] == [
        "recipient '1' is deleted",
        "opted out of promotional",
        "recipient '3' has no address for email",
        None,
        "recipient '5' is not there",
    ]


async def test_in_quiet_hours_what_is_promotional_waits_for_their_end_in_the_persons_zone(
    url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute(PEOPLE)
    await connection.execute(
        "INSERT INTO test.person (id, email, timezone, quiet_start, quiet_end) "
        "VALUES (1, 'a@example.org', 'Asia/Kolkata', "
        "(sexton.clock() AT TIME ZONE 'Asia/Kolkata' - interval '1 h')::time(0), "
        "(sexton.clock() AT TIME ZONE 'Asia/Kolkata' + interval '1 h')::time(0))"
    )
    await leave(connection, recipient="1", kind="promotional")
    await leave(connection, recipient="1", kind="transactional")
    async with mail_server() as server, office(url, SmtpChannel(server.port)) as n:
        await settled(n, "sent", 1)
        await settled(n, "pending", 1)
    waits, sent = await rows(connection, OUTBOX)
    assert (waits["state"], waits["attempts"], waits["last_error"], sent["state"]) == (
        "pending",
        0,
        "quiet hours",
        "sent",
    )
    local = await connection.fetchval(
        "SELECT (not_before AT TIME ZONE 'Asia/Kolkata')::time FROM sexton.outbox WHERE id = $1", waits["id"]
    )
    assert local == await connection.fetchval("SELECT quiet_end FROM test.person")


async def test_a_suite_without_a_view_keeps_nobody_elses_mail(url: str, connection: asyncpg.Connection) -> None:
    await leave(connection, recipient="1")
    await leave(connection)
    async with mail_server() as server, office(url, SmtpChannel(server.port)) as n:
        await settled(n, "sent", 1)
        await settled(n, "pending", 1)
    row = (await rows(connection, OUTBOX))[0]
    assert (row["state"], row["failures"]) == ("pending", 1)
    assert row["last_error"].startswith("the view test.sexton_recipient cannot be read")


@pytest.mark.parametrize(
    ("wrong", "view"),
    [
        ("opted_out", "to_jsonb(ARRAY['promotional'])"), ("opted_out", "'email,sms'::text"),
        ("quiet_start", "'late'::text"), ("deleted", "now()"),
    ],
)  # fmt: skip
async def test_a_view_that_would_be_misread_keeps_its_own_mail_and_nobody_elses(
    wrong: str, view: str, url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute(PEOPLE)
    await connection.execute("INSERT INTO test.person (id, email) VALUES (1, 'a@example.org')")
    columns = [f"{view} AS {wrong}" if name == wrong else name for name in
               ("quiet_start", "quiet_end", "opted_out", "deleted")]  # fmt: skip
    await connection.execute(
        "DROP VIEW test.sexton_recipient; CREATE VIEW test.sexton_recipient AS SELECT id::text, email, phone, "
        f"timezone, 'en' AS locale, {', '.join(columns)} FROM test.person"
    )
    await leave(connection, recipient="1", kind="promotional")
    await leave(connection)
    async with mail_server() as server, office(url, SmtpChannel(server.port)) as n:
        await settled(n, "sent", 1)
        await settled(n, "pending", 1)
        assert len(server.received) == 1
    assert (await rows(connection, OUTBOX))[0]["last_error"].startswith("the view test.sexton_recipient cannot be read")


async def test_quiet_hours_may_end_with_the_day_and_wishes_may_be_written_in_capitals(
    url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute(PEOPLE)
    await connection.execute(
        "INSERT INTO test.person (id, email, quiet_start, quiet_end, opted_out) VALUES "
        "(1, 'a@example.org', '00:00', '24:00', NULL), (2, 'b@example.org', NULL, NULL, '{ Promotional,NULL}')"
    )
    async with office(url, SmtpChannel(0)) as n:
        people = await n.engine.post.store.people("test", ["1", "2"])
    asha, ravi = people["test", "1"], people["test", "2"]
    assert (asha.quiet_start, asha.quiet_end, asha.opted_out) == (time(0), time(23, 59, 59), ())
    assert (ravi.quiet_start, ravi.quiet_end, ravi.opted_out) == (None, None, ("promotional",))


async def test_while_everything_is_stopped_nobody_asks_for_due_messages_in_a_hurry(
    url: str, connection: asyncpg.Connection
) -> None:
    await leave(connection)
    await connection.execute("INSERT INTO sexton.emergency_stop (stopped_by) VALUES ('ann')")
    async with mail_server() as server, office(url, SmtpChannel(server.port)) as n:
        assert await n.engine.post.store.next_due("email") is None
        assert await deliverer(n).step() == FLOOR
        await connection.execute("DELETE FROM sexton.emergency_stop")
        n.engine.post.wake()
        await settled(n, "sent", 1)


async def test_a_dead_mail_server_costs_one_probe_and_no_message(url: str, connection: asyncpg.Connection) -> None:
    await leave(connection, 50)
    async with mail_server() as server:
        channel = SmtpChannel(server.port, verdict=Delivery(Verdict.DOWN, "connection refused"))
        async with office(url, channel) as n:
            down = await n.event(ChannelDown)
            await settled(n, "pending", 50)
            assert (down.channel, down.error) == ("email", "connection refused")
            tried = len(channel.sent)
            assert tried <= channel.concurrency
            due_now(n)
            await probed(n, channel, 1)
            assert not deliverer(n).breaker.closed
            assert len(channel.sent) == tried
            channel.verdict = None
            due_now(n)
            await n.event(ChannelBack)
            await settled(n, "sent", 50)
        assert [e for e in n.events if isinstance(e, ChannelDown)] == [down]
    assert {(r["attempts"], r["failures"]) for r in await rows(connection, OUTBOX)} == {(1, 0)}


async def test_a_channel_that_takes_probes_and_no_messages_is_tried_ever_more_rarely(
    url: str, connection: asyncpg.Connection
) -> None:
    await leave(connection, 5)
    channel = SmtpChannel(0, concurrency=1, verdict=Delivery(Verdict.DOWN, "530 log in"), probed=Verdict.SENT)
    async with office(url, channel) as n:
        for count in (1, 2, 3):
            await n.event(ChannelDown, count=count)
            due_now(n)
        pauses = [e.probe_in for e in n.events if isinstance(e, ChannelDown)][:3]
        assert [round(pause) for pause in pauses] == [5, 10, 20]
        channel.verdict = Delivery(Verdict.SENT)
        due_now(n)
        await settled(n, "sent", 5)
        assert deliverer(n).breaker == Breaker()


DENIED = "554 5.7.1 Relay access denied"


async def test_a_server_that_relays_for_nobody_is_down_and_keeps_no_message_from_anybody(
    url: str, connection: asyncpg.Connection
) -> None:
    for person in range(9):
        await leave(connection, address=f"{person}@firm{person}.example")
    async with real_mail_server() as server, email_to(server, concurrency=1) as channel:
        server.answer("RCPT", *[DENIED] * 100)
        async with office(url, channel) as n:  # type: ignore[arg-type]
            down = await n.event(ChannelDown)
            assert down.error == f"the last 3 recipients were all refused: {DENIED} (answer to RCPT TO)"
            due_now(n)
            await n.event(ChannelDown, count=2)  # the probe got through, and the next recipient did not
            await settled(n, "pending", 9 + 6)
            assert server.commands.count("RCPT") == 4
            assert await states(connection) == {"pending": 9}
            server.answers.clear()
            await connection.execute("UPDATE sexton.outbox SET not_before = sexton.clock()")
            due_now(n)
            await settled(n, "sent", 9)
    assert sorted(r["failures"] for r in await rows(connection, OUTBOX)) == [0] * 7 + [1] * 2


async def test_refusals_that_come_at_once_over_several_connections_are_counted_together(
    url: str, connection: asyncpg.Connection
) -> None:
    for person in range(20):
        await leave(connection, address=f"{person}@firm{person}.example")
    async with real_mail_server() as server, email_to(server, concurrency=5) as channel:
        server.answer("RCPT", *[DENIED] * 100)
        async with office(url, channel) as n:  # type: ignore[arg-type]
            await n.event(ChannelDown)
            await settled(n, "pending", 20)
    assert sorted(r["failures"] for r in await rows(connection, OUTBOX)) == [0] * 18 + [1] * 2


@pytest.mark.parametrize(("command", "answer"), [("RCPT", HANG), ("DATA", HANG), ("DATA", "451 4.3.0 write error")])
async def test_a_server_that_fails_everybody_late_costs_three_tries_and_no_message(
    url: str, connection: asyncpg.Connection, command: str, answer: str
) -> None:
    await leave(connection, 9)
    async with real_mail_server() as server, email_to(server, concurrency=1, timeout="300ms") as channel:
        server.answer(command, *[answer] * 100)
        async with office(url, channel) as n:  # type: ignore[arg-type]
            assert (await n.event(ChannelDown)).error.startswith("the last 3 recipients were all refused")
            await settled(n, "pending", 9)
            assert server.commands.count(command) == 3
    assert sorted(r["failures"] for r in await rows(connection, OUTBOX)) == [0] * 7 + [1] * 2


async def test_a_text_service_that_takes_and_never_answers_leaves_few_in_doubt(
    url: str, connection: asyncpg.Connection
) -> None:
    for n in range(20):
        await leave(connection, channel="sms", address=f"+4179{n:07}")
    with http_service(201, {"sid": "SM1"}) as service:
        service.replies.extend([HANG] * 100)
        async with sms_to(service.url, timeout="300ms") as channel, office(url, channel) as n:  # type: ignore[arg-type]
            assert (await n.event(ChannelDown)).error.startswith("the last 3 were all in doubt: ")
            while deliverer(n, "sms").busy:
                await asyncio.sleep(0.01)
    found = await states(connection)
    assert found["unknown"] + found["pending"] == 20
    assert 3 <= found["unknown"] < 3 + 5  # what was under way


async def test_a_service_that_has_too_much_costs_no_message_a_try(url: str, connection: asyncpg.Connection) -> None:
    await leave(connection, 2, channel="sms", address="+41791234567")
    with http_service(201, {"sid": "SM1"}) as service:
        for _ in range(3):
            service.reply(429, {"code": 20429}, Retry_After="0.1")
        settings = OutboxSettings(max_attempts=1)
        async with sms_to(service.url) as channel, office(url, channel, outbox=settings) as n:  # type: ignore[arg-type]
            await settled(n, "sent", 2)
    assert [r["failures"] for r in await rows(connection, OUTBOX)] == [0, 0]


async def test_a_mailbox_that_a_policy_refuses_costs_only_its_own_message(
    url: str, connection: asyncpg.Connection
) -> None:
    async with real_mail_server() as server, email_to(server) as channel, office(url, channel) as n:  # type: ignore[arg-type]
        server.answer("RCPT", "550 5.7.1 not from you")
        await leave(connection)
        await settled(n, "pending", 1)
        await leave(connection)
        await settled(n, "sent", 1)
        server.answer("RCPT", "550 5.7.1 not from you")
        await connection.execute("UPDATE sexton.outbox SET not_before = sexton.clock() WHERE state = 'pending'")
        n.engine.post.wake()
        assert "not from you" in (await n.event(MessageGivenUp)).error
        assert not [e for e in n.events if isinstance(e, ChannelDown)]


def due_now(n: Node) -> None:
    """The next probe's time has come."""
    breaker = deliverer(n).breaker
    deliverer(n).breaker = Breaker(breaker.opened_at, 0.0, breaker.probes)
    n.engine.post.wake()


async def probed(n: Node, channel: SmtpChannel, times: int) -> None:
    async with asyncio.timeout(60):
        while channel.probes < times:
            await asyncio.sleep(0.005)


async def test_a_target_that_is_gone_is_disabled_and_its_messages_wait_until_a_restart(
    url: str, connection: asyncpg.Connection
) -> None:
    await leave(connection, 3, channel="slack", address="", template="bell")
    channel = SmtpChannel(0, name="slack", concurrency=1, verdict=Delivery(Verdict.DISABLED, "404 no_service"))
    async with office(url, channel) as n:
        await n.event(ChannelDisabled)
        await settled(n, "pending", 3)
        assert len(channel.sent) == 1
    assert await connection.fetchval("SELECT disabled_reason FROM sexton.channel_state") == "404 no_service"
    channel.verdict = Delivery(Verdict.SENT)
    async with office(url, channel) as n:
        await settled(n, "sent", 3)
    assert await connection.fetchval("SELECT count(*) FROM sexton.channel_state") == 0


async def test_an_ambiguous_text_message_is_unknown_and_a_code_is_sent_once_more(
    url: str, connection: asyncpg.Connection
) -> None:
    settings = OutboxSettings(retry_base=timedelta(milliseconds=10))
    await leave(connection, channel="sms", address="+41790000001", template="bell")
    await leave(connection, channel="sms", address="+41790000002", template="bell", kind="security")
    channel = SmtpChannel(0, name="sms", verdict=Delivery(Verdict.UNKNOWN, "no answer"))
    async with office(url, channel, outbox=settings) as n:
        await n.event(MessageGivenUp, lambda e: e.state == "unknown", count=2)
    assert sorted(m.address for m in channel.sent) == ["+41790000001", "+41790000002", "+41790000002"]
    assert await states(connection) == {"unknown": 2}


async def test_what_has_expired_is_not_sent(url: str, connection: asyncpg.Connection) -> None:
    now = await connection.fetchval("SELECT sexton.clock()")
    await leave(connection, expires_at=now)
    async with mail_server() as server, office(url, SmtpChannel(server.port)) as n:
        await settled(n, "suppressed", 1)
    assert server.received == []


@pytest.mark.parametrize("rate", [20.0])
async def test_a_channel_is_not_sent_to_faster_than_its_rate(
    url: str, connection: asyncpg.Connection, rate: float
) -> None:
    await leave(connection, 11, channel="sms", address="+41790000001", template="bell")
    channel = SmtpChannel(0, name="sms", per_second=rate, verdict=Delivery(Verdict.SENT))
    async with office(url, channel) as n:
        began = asyncio.get_running_loop().time()
        await settled(n, "sent", 11)
        assert asyncio.get_running_loop().time() - began > 8 / rate
