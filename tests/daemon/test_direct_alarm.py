"""What is told around the outbox, on real services: once when it begins, once when it is over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.channel_settings import AlertSettings, EmailSettings, OutboxSettings, SlackSettings
from daemon.database import Outage
from daemon.direct_alarm import AGAIN_AFTER, MARKER, DirectAlarm, direct_alarm
from daemon.events import Event, Note
from daemon.settings import DatabaseSettings, NodeSettings, Settings
from tests.daemon.channels.http_service import HttpService, http_service
from tests.daemon.channels.mail_server import mail_server


def slack(service: HttpService, folder: Path, lease: str = "500ms") -> Settings:
    return Settings(
        database=DatabaseSettings(state_dir=str(folder)),
        node=NodeSettings.model_validate({"name": "node-a", "lease": lease}),
        slack=SlackSettings.model_validate({"webhook_url": f"{service.url}/hook"}),
        alerts=AlertSettings(direct="slack"),
    )


def subjects(service: HttpService) -> list[str]:
    return [asked.json["text"] for asked in service.asked]


def well() -> str | None:
    return None


async def entered(settings: Settings, test: Callable[[DirectAlarm], Any], events: list[Event] | None = None) -> None:
    heard = [] if events is None else events
    async with direct_alarm(settings, heard.append, well) as alarm:
        assert alarm is not None
        await test(alarm)


def away(alarm: DirectAlarm, seconds: float) -> Outage:
    """An outage that began so long ago."""
    outage = Outage(lambda _: None)
    outage.began(ConnectionRefusedError("nobody there"))
    assert outage.since is not None
    outage.since -= seconds
    alarm.outage = outage
    return outage


async def test_an_outage_longer_than_the_lease_is_told_once_and_its_end_once(tmp_path: Path) -> None:
    async def test(alarm: DirectAlarm) -> None:
        outage = away(alarm, 60)
        for _ in range(3):
            await alarm.step()
        outage.ended()
        for _ in range(3):
            await alarm.step()

    with http_service(200, "ok") as service:
        await entered(slack(service, tmp_path), test)
    assert subjects(service) == ["Sexton on node-a: the database is away", "Sexton on node-a: back"]
    assert "nobody there" in service.asked[0].body.decode()


async def test_a_short_outage_is_waited_out(tmp_path: Path) -> None:
    async def test(alarm: DirectAlarm) -> None:
        outage = away(alarm, 10)
        assert 15 < await alarm.step() <= 20
        outage.ended()
        assert await alarm.step() > AGAIN_AFTER

    with http_service(200, "ok") as service:
        await entered(slack(service, tmp_path, lease="30s"), test)
    assert service.asked == []


async def test_what_could_not_be_told_is_tried_again_soon(tmp_path: Path) -> None:
    async def test(alarm: DirectAlarm) -> None:
        away(alarm, 60)
        assert await alarm.step() == AGAIN_AFTER
        assert await alarm.step() > AGAIN_AFTER

    events: list[Event] = []
    with http_service(200, "ok") as service:
        service.reply(500, "not now")
        await entered(slack(service, tmp_path), test, events)
    assert len(service.asked) == 2
    assert [event.warning for event in events if isinstance(event, Note)] == [True]


async def test_a_fault_is_told_once_however_often_it_is_started_again_and_the_next_good_start_ends_it(
    tmp_path: Path,
) -> None:
    with http_service(200, "ok") as service:
        settings = slack(service, tmp_path)
        for _ in range(3):
            with pytest.raises(ValueError, match="out of oil"):
                async with direct_alarm(settings, list[Event]().append, well):
                    raise ValueError("out of oil")
        assert subjects(service) == ["Sexton on node-a: the daemon has left"]
        assert "ValueError: out of oil" in service.asked[0].body.decode()
        assert (tmp_path / MARKER).exists()
        await entered(settings, lambda alarm: alarm.step())
        assert subjects(service)[1:] == ["Sexton on node-a: back"]
        await entered(settings, lambda alarm: alarm.step())
        assert len(service.asked) == 2
    assert not (tmp_path / MARKER).exists()


async def test_leaving_because_the_database_was_shut_down_is_a_fault_and_a_stop_is_none(tmp_path: Path) -> None:
    with http_service(200, "ok") as service:
        async with direct_alarm(slack(service, tmp_path), list[Event]().append, well):
            pass
        assert service.asked == []
        async with direct_alarm(slack(service, tmp_path), list[Event]().append, lambda: "stopped from outside"):
            pass
    assert "stopped from outside" in service.asked[0].body.decode()


async def test_every_administrator_gets_a_mail(tmp_path: Path) -> None:
    async with mail_server() as server:
        settings = Settings(
            database=DatabaseSettings(state_dir=str(tmp_path)),
            email=EmailSettings(host="127.0.0.1", port=server.port, tls="none", sender="sexton@example.org"),
            outbox=OutboxSettings(administrators=("ada@example.org", "bob@example.org")),
            alerts=AlertSettings(direct="email"),
        )
        async with direct_alarm(settings, list[Event]().append, lambda: "the end") as alarm:
            assert alarm is not None
    assert [mail.recipients for mail in server.received] == [["ada@example.org"], ["bob@example.org"]]
    assert b"the daemon has left" in server.received[0].content


async def test_a_state_directory_that_cannot_be_written_is_said_and_costs_no_message(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    events: list[Event] = []
    with http_service(200, "ok") as service:
        async with direct_alarm(slack(service, blocked / "state"), events.append, lambda: "the end"):
            pass
    assert len(service.asked) == 1
    assert [event.area for event in events if isinstance(event, Note)] == ["ALERTS"]


async def test_without_a_direct_channel_there_is_no_alarm() -> None:
    async with direct_alarm(Settings(), list[Event]().append, lambda: "a fault") as alarm:
        assert alarm is None
