"""One backup: a shared snapshot, pg_dump and figures side by side, checksums, a manifest, and a rename."""

from __future__ import annotations

import asyncio
from pathlib import Path

from daemon.backup import files, tools
from daemon.backup.manifest import DATA, Manifest
from daemon.backup.place import Place, counted, run_tool
from daemon.backup.snapshot import Exported, Figures, Progress, exported, figures
from daemon.backup.tools import Tools
from daemon.uninterrupted import to_the_end


async def dump(place: Place, progress: Progress) -> str:
    """Make one and return its name; the directory must be ours. Raises `BackupError`; nothing half done stays."""
    async with exported(place.url, place.application) as snapshot:
        found = await asyncio.to_thread(tools.find, place.settings, snapshot.major)
        name, folder = await to_the_end(asyncio.to_thread(place.shelf.begin, snapshot.at))
        try:
            of_it = await _dump_and_count(place, found, snapshot, folder, progress)
            manifest = await _manifest(snapshot, found, of_it, folder)
            await to_the_end(asyncio.to_thread(place.shelf.publish, folder, name, manifest))
        except BaseException:
            await to_the_end(asyncio.to_thread(place.shelf.discard, folder))
            raise
    return name


async def _dump_and_count(
    place: Place, found: Tools, snapshot: Exported, folder: Path, progress: Progress
) -> Figures:  # fmt: skip
    counting = asyncio.create_task(
        figures(place.url, place.application, place.jobs, progress, "checksums", snapshot.share)
    )
    try:
        await _run_pg_dump(place, found, snapshot, folder, progress)
        return await counting
    finally:
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)


async def _run_pg_dump(
    place: Place, found: Tools, snapshot: Exported, folder: Path, progress: Progress
) -> None:  # fmt: skip
    hear = counted("dumping contents of table ", place.jobs, "tables", snapshot.tables, progress)
    options = [
        "--format=directory", f"--file={folder}/{DATA}", f"--jobs={place.jobs}", f"--snapshot={snapshot.id}",
        "--no-password", "--verbose",
    ]  # fmt: skip
    if found.compression == "zstd":
        options.append("--compress=zstd")
    await run_tool(found, "pg_dump", options, place.url, place.application, place.shelf.directory, hear)


async def _manifest(snapshot: Exported, found: Tools, of_it: Figures, folder: Path) -> Manifest:
    stored = await files.beside_the_loop(lambda stop: files.stored(folder, stop))
    return Manifest(
        taken_at=snapshot.at, database=snapshot.database, postgresql=snapshot.version, pg_dump=found.version,
        compression=found.compression, migrations=dict(snapshot.migrations), tables=of_it.tables,
        objects=dict(of_it.objects), large_objects=of_it.large_objects, files=stored,
    )  # fmt: skip
