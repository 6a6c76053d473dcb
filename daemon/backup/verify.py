"""The proof of a backup: its files are what they were, and what is restored from them is what was dumped."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import asyncpg

from daemon.backup import files, manifest, tools
from daemon.backup.errors import Damaged, Differs, ProgramFailed, RestoreRefused
from daemon.backup.manifest import DATA, Manifest
from daemon.backup.place import Place, counted, run_tool
from daemon.backup.scratch import scratch
from daemon.backup.snapshot import Figures, Progress, differences, figures
from daemon.clock import utc_now
from daemon.embedded_binaries import major_of
from daemon.uninterrupted import to_the_end

WITHOUT_OWNERS = ("--no-owner", "--no-privileges")


async def verify(place: Place, name: str, progress: Progress) -> datetime:
    """Restore it into a scratch database and compare every table; returns when it was found good, and marks it so. One
    that was good before and is damaged now loses its mark, so that pruning keeps the one before it.

    The directory must be ours. Raises `Damaged`, `Differs`, `TooNew` and other `BackupError`s.
    """
    try:
        wanted = await checked(place, name)
        async with scratch(place.url, place.application, place.shelf.directory) as url:
            await restored_and_compared(place, place.shelf.directory / name, wanted, url, WITHOUT_OWNERS, progress)
    except Damaged:
        await to_the_end(asyncio.to_thread(place.shelf.withdraw_mark, name))
        raise
    at = utc_now()
    await to_the_end(asyncio.to_thread(place.shelf.mark_verified, name, wanted.digest, at))
    return at


async def server_can_take(connection: asyncpg.Connection, wanted: Manifest) -> None:
    """Raises `RestoreRefused` for a server that is older than what the backup was made for."""
    version = await connection.fetchval("SHOW server_version")
    if major_of(version) < major_of(wanted.pg_dump):
        raise RestoreRefused(
            f"the backup is of PostgreSQL {wanted.postgresql}, and the server is {version}: restore it on "
            f"PostgreSQL {major_of(wanted.pg_dump)} or newer"
        )


async def checked(place: Place, name: str) -> Manifest:
    """The manifest, once every file is what it says. Raises `Damaged` and `TooNew`."""
    folder = place.shelf.directory / name
    wanted = await asyncio.to_thread(manifest.read, folder)
    await files.beside_the_loop(lambda stop: files.check(folder, wanted, stop))
    return wanted


async def restored_and_compared(
    place: Place, folder: Path, wanted: Manifest, url: str, options: tuple[str, ...], progress: Progress
) -> None:
    """Fill the empty database of `url`. Raises `Differs` when it does not come out as it went in."""
    found = await asyncio.to_thread(tools.find, place.settings, major_of(wanted.pg_dump))
    hear = counted("processing data for table ", place.jobs, "restored", len(wanted.tables), progress)
    flags = ("--format=directory", f"--jobs={place.jobs}", "--exit-on-error", "--no-password", "--verbose", *options)
    try:
        arguments = [*flags, str(folder / DATA)]
        await run_tool(found, "pg_restore", arguments, url, place.application, place.shelf.directory, hear)
    except ProgramFailed as error:
        raise Damaged(f"{folder}: cannot be restored: {error}") from error
    now = await figures(url, place.application, place.jobs, progress, "compared")
    if problems := differences(Figures(wanted.tables, wanted.objects, wanted.large_objects), now):
        raise Differs(*(f"{folder}: {problem}" for problem in problems))
