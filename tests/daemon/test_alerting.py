"""Alerts from the event to the mail: collected, kept for all nodes, told once, and taken back once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio
import asyncpg
import pytest

from daemon import Context, Every
from daemon.alerting import COLLECT, Alerting, receivers_of
from daemon.alerts import Receiver
from daemon.channel_settings import ChannelsSettings, OutboxSettings, SlackSettings
from daemon.database import DatabaseDown, Link, Outage
from daemon.events import ChannelBack, ChannelDown, Event, InstantsSettled, ItemDied, RunEnded
from daemon.queue import WorkQueue
from daemon.supervisor import Service, run_for_ever
from tests.daemon.cuttable import Wire
from tests.daemon.harness import a_job, node
from tests.daemon.mail import SmtpChannel, mail_server

ADA = Receiver("email", "ada@example.org")
SLACK = Receiver("slack")
FAILED = RunEnded(7, "tea.brew", "failed", 1.0, "ValueError: cold")
MESSAGES = "SELECT template, channel, address, kind, suite, data::text AS data FROM sexton.outbox ORDER BY id"


@asynccontextmanager
async def alerting(
    url: str, *receivers: Receiver, queues: dict[str, WorkQueue] | None = None, name: str = "node-a"
) -> AsyncIterator[Alerting]:
    link = Link(lambda: url, lambda: "sexton test", Outage(lambda _: None))
    try:
        yield Alerting(link, receivers, queues or {}, name, lambda: datetime.now(UTC))
    finally:
        await link.close()


async def said(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    return [(r["template"], r["channel"]) for r in await connection.fetch(MESSAGES)]


async def count(connection: asyncpg.Connection, key: str = "failed:tea.brew") -> int:
    found: int = await connection.fetchval("SELECT count FROM sexton.alert WHERE key = $1", key)
    return found


async def an_hour_later(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE sexton.alert SET told_at = told_at - interval '1 hour'")


async def succeeds(connection: asyncpg.Connection, job: str = "tea.brew") -> None:
    await connection.execute(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until) VALUES ($1, 'x', now()) "
        "ON CONFLICT DO NOTHING", job,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO sexton.run (job, due_at, logical_date, not_before, state, trigger, finished_at) "
        "VALUES ($1, clock_timestamp(), now(), now(), 'succeeded', 'schedule', clock_timestamp())", job,
    )  # fmt: skip


async def heard(alerts: Alerting, *events: Event) -> None:
    for event in events:
        alerts.hear(event)
    await alerts.step()


async def test_while_it_lasts_it_is_told_once_and_counted(url: str, connection: asyncpg.Connection) -> None:
    async with alerting(url, ADA, SLACK) as alerts:
        await heard(alerts, FAILED, FAILED)
        assert await said(connection) == [("alert", "email"), ("alert", "slack")]
        (mail, _) = await connection.fetch(MESSAGES)
        assert (mail["address"], mail["kind"], mail["suite"]) == ("ada@example.org", "alert", "")
        assert '"count": 2' in mail["data"]
        await heard(alerts, FAILED)
        await alerts.step()
    assert len(await said(connection)) == 2
    assert await count(connection) == 3


async def test_what_goes_on_is_told_again_after_an_hour_and_only_if_there_is_more(
    url: str, connection: asyncpg.Connection
) -> None:
    async with alerting(url, ADA) as alerts:
        await heard(alerts, FAILED)
        await an_hour_later(connection)
        await alerts.step()
        assert len(await said(connection)) == 1
        await heard(alerts, FAILED)
        assert len(await said(connection)) == 2
        await heard(alerts, FAILED)
        assert len(await said(connection)) == 2
        await an_hour_later(connection)
        await alerts.step()
    last = (await connection.fetch(MESSAGES))[-1]
    assert '"count": 3' in last["data"]


async def test_a_success_ends_it_once_whoever_had_it(url: str, connection: asyncpg.Connection) -> None:
    async with alerting(url, ADA) as one, alerting(url, ADA, name="node-b") as other:
        await heard(one, FAILED, InstantsSettled("tea.brew", "missed", 2, datetime.now(UTC), "too late"))
        await succeeds(connection)
        await other.step()
        await one.step()
    assert await said(connection) == [("alert", "email"), ("alert", "email"), ("recovered", "email")]
    assert await connection.fetchval("SELECT count(*) FROM sexton.alert WHERE closed_at IS NULL") == 0


async def test_a_success_before_the_trouble_ends_nothing(url: str, connection: asyncpg.Connection) -> None:
    async with alerting(url, ADA) as alerts:
        await succeeds(connection)
        await heard(alerts, FAILED)
        await alerts.step()
    assert await said(connection) == [("alert", "email")]


async def test_a_run_that_a_person_retried_ends_its_own_alert(url: str, connection: asyncpg.Connection) -> None:
    await succeeds(connection)
    old = await connection.fetchval(
        "INSERT INTO sexton.run (job, due_at, logical_date, not_before, state, trigger, finished_at) "
        "VALUES ('tea.brew', now() - interval '1 day', now(), now(), 'failed', 'schedule', now()) RETURNING id"
    )
    async with alerting(url, ADA) as alerts:
        await heard(alerts, RunEnded(old, "tea.brew", "failed", 1.0, "ValueError: cold"))
        await connection.execute(
            "UPDATE sexton.run SET state = 'succeeded', finished_at = clock_timestamp() WHERE id = $1", old
        )
        await alerts.step()
    assert await said(connection) == [("alert", "email"), ("recovered", "email")]


async def test_a_job_that_flaps_is_told_at_most_once_an_hour(url: str, connection: asyncpg.Connection) -> None:
    async with alerting(url, ADA) as alerts:
        for _ in range(4):
            await heard(alerts, FAILED)
            await succeeds(connection)
            await alerts.step()
        assert await said(connection) == [("alert", "email"), ("recovered", "email")]
        await heard(alerts, FAILED)
        await an_hour_later(connection)
        await alerts.step()
    assert await said(connection) == [("alert", "email"), ("recovered", "email"), ("alert", "email")]
    assert await count(connection) == 1


async def test_several_nodes_and_a_restart_tell_once(url: str, connection: asyncpg.Connection) -> None:
    async with alerting(url, ADA) as one, alerting(url, ADA, name="node-b") as other:
        for alerts in (one, other):
            alerts.hear(FAILED)
        await asyncio.gather(one.step(), other.step())
    async with alerting(url, ADA) as reborn:
        await heard(reborn, FAILED)
    assert await said(connection) == [("alert", "email")]
    assert await count(connection) == 3


async def test_dead_items_are_over_when_the_queue_has_none(url: str, connection: asyncpg.Connection) -> None:
    queue = WorkQueue("flights.flight_processing_queue", key="flight_id")
    await connection.execute(
        "SET session_replication_role = replica; "  # the table it refers to does not matter here
        "INSERT INTO flights.flight_processing_queue (flight_id, state, last_error) VALUES (4, 'DEAD', 'mouldy')"
    )
    async with alerting(url, ADA, queues={queue.name: queue}) as alerts:
        await heard(alerts, ItemDied(queue.name, 4, "mouldy"))
        await alerts.step()
        assert await said(connection) == [("alert", "email")]
        await connection.execute("DELETE FROM flights.flight_processing_queue")
        await alerts.step()
    assert await said(connection) == [("alert", "email"), ("recovered", "email")]


async def test_a_channel_is_told_of_through_the_others_and_its_return_too(
    url: str, connection: asyncpg.Connection
) -> None:
    async with alerting(url, ADA, SLACK) as alerts:
        await heard(alerts, ChannelDown("email", "refused", 5.0))
        await heard(alerts, ChannelBack("email", 61.0))
    assert await said(connection) == [("alert", "slack"), ("recovered", "slack")]


async def test_something_sent_says_that_a_channel_is_back(url: str, connection: asyncpg.Connection) -> None:
    async with alerting(url, ADA) as alerts:
        await heard(alerts, ChannelDown("slack", "refused", 5.0))
        await connection.execute(
            "INSERT INTO sexton.outbox (address, channel, template, dedupe_key, state, settled_at) "
            "VALUES ('', 'slack', 'x', 'k', 'sent', clock_timestamp())"
        )
        await alerts.step()
    assert [t for t, channel in await said(connection) if channel == "email"] == ["alert", "recovered"]


async def test_with_nobody_to_tell_only_the_table_is_written(url: str, connection: asyncpg.Connection) -> None:
    async with alerting(url) as alerts:
        await heard(alerts, FAILED)
        await succeeds(connection)
        await alerts.step()
    assert await said(connection) == []
    assert await connection.fetchval("SELECT closed_at IS NOT NULL AND told_at IS NULL FROM sexton.alert")


async def test_troubles_wait_for_a_lost_database_and_are_then_told_once(
    url: str, connection: asyncpg.Connection
) -> None:
    wire = Wire(url)
    async with alerting(wire.url, ADA) as alerts:
        for _ in range(3):
            alerts.hear(FAILED)
            with pytest.raises(DatabaseDown):
                await alerts.step()
            assert alerts.pending
        alerts.hear(ChannelDown("slack", "refused", 5.0))
        await wire.mend()
        await alerts.step()
        assert not alerts.pending
    await wire.close()
    assert sorted(await said(connection)) == [("alert", "email"), ("alert", "email")]
    assert await count(connection) == 3


async def test_news_is_collected_before_it_is_written() -> None:
    alerts = Alerting(None, (ADA,), {}, "node-a", lambda: datetime.now(UTC), collect=0.2)  # type: ignore[arg-type]
    began = asyncio.get_running_loop().time()
    for _ in range(100):
        alerts.hear(FAILED)
    await alerts.pulse.wait(3600)
    assert 0.19 <= asyncio.get_running_loop().time() - began < 60
    assert COLLECT == 5


def test_who_is_told() -> None:
    assert receivers_of(ChannelsSettings()) == ()
    settings = ChannelsSettings(
        outbox=OutboxSettings(administrators=("ada@example.org",)),
        slack=SlackSettings(webhook_url="https://example.org/hook"),  # type: ignore[arg-type]
    )
    assert receivers_of(settings) == (ADA, SLACK)


async def test_a_job_that_fails_and_then_succeeds_sends_two_mails(url: str, connection: asyncpg.Connection) -> None:
    cold = True

    async def brew(ctx: Context) -> None:
        if cold:
            raise ValueError("cold water")

    async with (
        mail_server() as server,
        anyio.create_task_group() as tasks,
        node(url, a_job(brew, Every(0.2), "test.brew", retries=0), channels={"email": SmtpChannel(server.port)}) as n,
    ):
        engine = n.engine
        alerts = Alerting(engine.post.store.link, (ADA,), {}, "node-a", engine.clock.now, collect=0.05)
        engine.emit.subscribe(alerts.hear)
        service = Service("alerts", alerts.step, alerts.pulse)
        tasks.start_soon(run_for_ever, service, engine.outage, engine.emit)
        await server.has(1)
        cold = False
        await server.has(2)
        tasks.cancel_scope.cancel()
    failed, well = (str(mail["Subject"]) for mail in server.received)
    assert failed.startswith("Sexton: test.brew failed for good")
    assert well == "Sexton: test.brew is well again"
    assert "ValueError: cold water" in server.received[0].get_payload()
