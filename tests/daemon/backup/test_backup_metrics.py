"""What is scraped of backups: from the directory, and counted as it happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.backup import manifest
from daemon.backup.glance import Glance
from daemon.backup.shelf import VERIFIED, Shelf
from daemon.clock import utc_now
from daemon.events import BackupFailed, BackupMade
from daemon.metrics import Metrics
from daemon.metrics_node import _backups
from tests.daemon.backup.conftest import Vault


def told(glance: Glance) -> tuple[float, ...]:
    """How many there are; of the newest verified one the instant, and the size."""
    return tuple(family.samples[0].value for family in _backups(glance))


async def test_the_newest_verified_one_is_told_as_soon_as_there_is_another(hasty: Vault) -> None:
    glance = Glance(hasty.shelf)
    assert told(glance) == (0, 0, 0)
    proven = await hasty.service.create()
    other = await hasty.service.create()
    assert told(glance) == (2, 0, 0)
    for backup in (proven, other):
        hasty.shelf.mark_verified(backup.name, backup.sha256, utc_now())
        assert told(glance) == (2, backup.taken_at.timestamp(), backup.bytes)
    (hasty.directory / other.name / VERIFIED).write_text("{}")
    assert told(glance) == (2, proven.taken_at.timestamp(), proven.bytes)
    (hasty.directory / proven.name / manifest.FILE).write_text("{}")
    assert told(glance) == (2, 0, 0)
    hasty.shelf.remove(other.name)
    assert told(glance) == (1, 0, 0)


async def test_what_has_not_changed_is_not_read_again(hasty: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await hasty.service.create()
    hasty.shelf.mark_verified(made.name, made.sha256, utc_now())
    glance, read = Glance(hasty.shelf), manifest.read
    reading: list[Path] = []
    monkeypatch.setattr(manifest, "read", lambda folder: (reading.append(folder), read(folder))[1])
    assert [told(glance) for _ in range(3)] == [(1, made.taken_at.timestamp(), made.bytes)] * 3
    assert reading == [hasty.directory / made.name]


def test_a_directory_that_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert told(Glance(Shelf(tmp_path / "file"))) == ()


def test_each_end_is_counted() -> None:
    metrics = Metrics("0")
    for event in (BackupMade("x", 1, True), BackupMade("x", 1, False), BackupFailed("full"), BackupFailed("full")):
        metrics(event)
    value = metrics.registry.get_sample_value
    outcomes = ("verified", "unverified", "failed")
    assert [value("sexton_backups_total", {"outcome": outcome}) for outcome in outcomes] == [1, 1, 2]
