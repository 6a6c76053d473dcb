"""What is scraped of backups: from the directory, and counted as it happens."""

from __future__ import annotations

from pathlib import Path

from daemon.backup.shelf import Shelf
from daemon.clock import utc_now
from daemon.events import BackupFailed, BackupMade
from daemon.metrics import Metrics
from daemon.metrics_node import _backups
from tests.daemon.backup.conftest import Vault


def told(shelf: Shelf) -> tuple[float, ...]:
    """How many there are; of the newest verified one the instant, and the size."""
    return tuple(family.samples[0].value for family in _backups(shelf))


async def test_the_newest_verified_one_is_told_by_its_instant_and_size(hasty: Vault) -> None:
    assert told(hasty.shelf) == (0, 0, 0)
    proven = await hasty.service.create()
    await hasty.service.create()
    assert told(hasty.shelf) == (2, 0, 0)
    hasty.shelf.mark_verified(proven.name, proven.sha256, utc_now())
    assert told(hasty.shelf) == (2, proven.taken_at.timestamp(), proven.bytes)


def test_a_directory_that_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert told(Shelf(tmp_path / "file")) == ()


def test_each_end_is_counted() -> None:
    metrics = Metrics("0")
    for event in (BackupMade("x", 1, True), BackupMade("x", 1, False), BackupFailed("full"), BackupFailed("full")):
        metrics(event)
    value = metrics.registry.get_sample_value
    outcomes = ("verified", "unverified", "failed")
    assert [value("sexton_backups_total", {"outcome": outcome}) for outcome in outcomes] == [1, 1, 2]
