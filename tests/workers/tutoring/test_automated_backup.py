"""The nightly backup: made and proven by the engine, once however often it is tried, and old ones leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from daemon import days
from daemon.backup.shelf import Shelf
from daemon.backup_settings import BackupSettings
from daemon.events import BackupFailed, BackupMade, Event
from tests.workers.tutoring.school import School
from workers.tutoring.automated_backup import automated_backup


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    return School(url, connection)


def night() -> datetime:
    """The instant due last, by the real clock: backups carry the server's."""
    return datetime.now(UTC) - timedelta(minutes=1)


def test_it_is_tried_three_times_again_and_old_ones_leave_after_a_month() -> None:
    assert automated_backup.priority.retries == 3
    assert BackupSettings().retention == days(30)


async def test_a_night_leaves_a_proven_backup_and_takes_the_old_ones_away(school: School, tmp_path: Path) -> None:
    await school.student(1)
    due, backup = night(), {"directory": str(tmp_path)}
    old = await school.succeed(automated_backup, due, backup={**backup, "verify": False})
    assert old["verified_at"] is None
    next_night = datetime.now(UTC)
    report = await school.succeed(automated_backup, next_night, now=due + days(31), backup=backup)
    assert report["verified_at"] is not None
    assert report["rows"] > 0
    assert len(report["sha256"]) == 64
    assert report["pruned"] == [old["name"]]
    assert Shelf(tmp_path).names() == [report["name"]]


async def test_a_retry_makes_no_second_one_and_verifies_what_an_earlier_try_did_not(
    school: School, tmp_path: Path
) -> None:
    due, backup = night(), {"directory": str(tmp_path)}
    first = await school.perform(automated_backup, due, backup={**backup, "verify": False})
    tries: list[Event] = []
    for verify in (False, True, True):
        options = {"backup": {**backup, "verify": verify}, "resume": first.id, "events": tries}
        again = await school.perform(automated_backup, due, **options)
        assert (again.result["name"], again.result["verified_at"] is not None) == (first.result["name"], verify)
    assert len(Shelf(tmp_path).listed()) == 1
    assert [e.verified for e in tries if isinstance(e, BackupMade)] == [True]


async def test_a_retry_makes_another_where_the_earlier_one_is_damaged(school: School, tmp_path: Path) -> None:
    due, backup = night(), {"directory": str(tmp_path)}
    first = await school.perform(automated_backup, due, backup={**backup, "verify": False})
    (tmp_path / first.result["name"] / "data" / "toc.dat").write_bytes(b"rotten")
    events: list[Event] = []
    again = await school.perform(automated_backup, due, backup=backup, resume=first.id, events=events)
    assert [type(e) for e in events if isinstance(e, BackupFailed | BackupMade)] == [BackupFailed, BackupMade]
    assert [(b.name == again.result["name"], b.verified) for b in Shelf(tmp_path).listed()] == [
        (True, True),
        (False, False),
    ]


async def test_one_of_a_clock_that_was_wrong_does_not_stand_for_tonights(school: School, tmp_path: Path) -> None:
    backup = {"directory": str(tmp_path)}
    wrong = await school.succeed(automated_backup, night(), backup=backup)
    a_month_ago = night() - days(31)
    made = await school.succeed(automated_backup, a_month_ago, backup={**backup, "verify": False})
    assert made["name"] != wrong["name"]


async def test_a_directory_that_is_not_there_fails_the_run_with_the_remedy(school: School) -> None:
    events: list[Event] = []
    run = await school.perform(automated_backup, night(), backup={"directory": "/sys/backups"}, events=events)
    assert run.ending == "failed"
    assert "or set backup.directory" in str(run.error)
    assert [type(e) for e in events if isinstance(e, BackupFailed)] == [BackupFailed]
