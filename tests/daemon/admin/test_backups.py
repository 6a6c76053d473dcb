"""Backups on the page of nodes and over the API: the newest first, proven or not; a directory that cannot be read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from daemon.backup.manifest import Manifest, StoredFile, Table
from daemon.backup.shelf import Shelf
from daemon.backup_settings import BackupSettings
from tests.daemon.admin.house import House, house

NIGHT = datetime(2026, 11, 24, 3, tzinfo=UTC)


def made(shelf: Shelf, at: datetime, *, proven: bool) -> str:
    """As one that was published, but for its data."""
    name, folder = shelf.begin(at)
    wanted = Manifest(
        taken_at=at, database="daemon", postgresql="17.2", pg_dump="17.2", compression="gzip", migrations={},
        tables=(Table(name="a.b", rows=1200, checksum="1"),), objects={},
        files=(StoredFile(path="data/toc.dat", bytes=812_345_678, sha256="0" * 64),),
    )  # fmt: skip
    shelf.publish(folder, name, wanted)
    if proven:
        shelf.mark_verified(name, shelf.listed()[0].sha256, at + timedelta(minutes=5))
    return name


async def words_of(opened: House) -> str:
    """What the page's part about backups says."""
    page = (await opened.viewer.get("/nodes")).text
    section = page.partition('<section id="backups"')[2].partition("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", section).split())


async def test_backups_are_listed_with_when_they_were_proven(url: str, tmp_path: Path) -> None:
    directory = tmp_path / "backups"
    async with house(url) as opened:
        engine = opened.node.engine
        engine.settings = engine.settings.model_copy(update={"backup": BackupSettings(directory=str(directory))})
        assert (await opened.viewer.get("/api/v1/backups")).json() == []
        assert f"There are none in {directory}." in await words_of(opened)

        directory.mkdir()
        shelf = Shelf(directory)
        old = made(shelf, NIGHT - timedelta(days=1), proven=True)
        assert "The last that was restored and found equal is of 2026-11-23 03:00:00" in await words_of(opened)
        new = made(shelf, NIGHT, proven=False)
        (directory / old / "manifest.json").write_text("{}")
        told = (await opened.viewer.get("/api/v1/backups")).json()
        assert [(b["name"], b["bytes"], b["rows"], b["verified_at"]) for b in told] == [
            (new, 812_345_678, 1200, None), (old, 0, 0, None),
        ]  # fmt: skip
        assert told[0]["problem"] is None
        assert told[1]["problem"]
        words = await words_of(opened)
        assert "None was restored and found equal" in words
        assert "812.3 MB" in words

        for name in (old, new):
            (directory / name).rename(tmp_path / name)
        directory.rmdir()
        directory.write_text("no directory")
        refused = await opened.viewer.get("/api/v1/backups")
        assert (refused.status_code, refused.headers["content-type"]) == (500, "application/problem+json")
        assert str(directory) in refused.json()["detail"]
        assert str(directory) in await words_of(opened)
