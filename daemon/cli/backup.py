"""`sexton backup create`, `list`, `verify` and `prune`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg

from daemon import in_words
from daemon.alerting import Alerting, receivers_of
from daemon.backup.place import Place
from daemon.backup.record import Backup
from daemon.backup.service import BackupService
from daemon.cli import output
from daemon.cli.common import CommandFailed, Invocation, run_async
from daemon.cli.database import opened
from daemon.cli.progress import Progress, progress_shown
from daemon.clock import utc_now
from daemon.database import DatabaseDown, Link, Outage
from daemon.engine import Urls
from daemon.events import Event
from daemon.settings import Settings

APPLICATION = "sexton backup command"
T = TypeVar("T")


def create_backup(invocation: Invocation, *, verify: bool) -> int:
    """Make one; tell the administrators if it fails, as a job's failure would."""
    settings = invocation.settings
    if not verify:
        settings = settings.model_copy(update={"backup": settings.backup.model_copy(update={"verify": False})})

    async def work(service: BackupService, progress: Progress) -> Sequence[Backup]:
        made = await service.create(progress)
        how = f"verified {in_words.moment(made.verified_at)}" if made.verified_at else "not verified"
        print(f"{made.name}: {made.tables} tables, {made.rows:,} rows, {in_words.size(made.bytes)}, {how}", flush=True)
        return await service.prune(utc_now())

    with progress_shown("backup") as progress:
        gone = run_async(lambda: _told(settings, lambda service: work(service, progress)))
    return _say_gone(gone)


def verify_backup(invocation: Invocation, name: str) -> int:
    with progress_shown("backup") as progress:
        proven = run_async(lambda: _told(invocation.settings, lambda service: service.verify(name, progress)))
    print(f"{proven.name}: restored and compared, {proven.tables} tables, {proven.rows:,} rows")
    return 0


def list_backups(invocation: Invocation, *, as_json: bool) -> int:
    """From the directory: it needs no database."""
    found = run_async(_without_database(invocation.settings).listed)
    headings = ("name", "taken (UTC)", "size", "tables", "rows", "verified (UTC)", "")
    folder = invocation.settings.backup_directory
    none = f"there are no backups in {folder}" + ("" if folder.exists() else ", which is not there")
    output.listing(found, described, headings, _row, as_json=as_json, none=none)
    return 0


def prune_backups(invocation: Invocation) -> int:
    return _say_gone(run_async(lambda: _without_database(invocation.settings).prune(utc_now())))


def described(backup: Backup) -> dict[str, Any]:
    """The JSON form; its keys are an interface."""
    return {
        "name": backup.name, "taken_at": in_words.iso(backup.taken_at), "bytes": backup.bytes,
        "sha256": backup.sha256 or None, "tables": backup.tables, "rows": backup.rows,
        "verified_at": in_words.iso(backup.verified_at), "sexton": backup.sexton, "postgresql": backup.postgresql,
        "problem": backup.problem,
    }  # fmt: skip


def _row(backup: Backup) -> tuple[str, ...]:
    verified = f"{backup.verified_at:%Y-%m-%d %H:%M:%S}" if backup.verified_at else "never"
    return (
        backup.name, f"{backup.taken_at:%Y-%m-%d %H:%M:%S}", in_words.size(backup.bytes), str(backup.tables),
        f"{backup.rows:,}", verified, backup.problem or "",
    )  # fmt: skip


def _say_gone(gone: Sequence[Backup]) -> int:
    for backup in gone:
        print(f"pruned {backup.name}")
    return 0


def _without_database(settings: Settings) -> BackupService:
    return BackupService(Place(settings, "", APPLICATION), lambda _: None)


async def _told(settings: Settings, work: Callable[[BackupService], Coroutine[Any, Any, T]]) -> T:
    """The work on the configured database; what it announces becomes or ends an alert."""
    async with opened(settings) as place:
        events: list[Event] = []
        service = BackupService(Place(settings, place.urls.direct, APPLICATION), events.append)
        try:
            return await ended_by_sigterm(work(service))
        finally:
            with suppress(DatabaseDown, asyncpg.PostgresError):  # the error itself says enough
                await _alert(settings, place.urls, events)


async def _alert(settings: Settings, urls: Urls, events: Sequence[Event]) -> None:
    link = Link(lambda: urls.direct, lambda: APPLICATION, Outage(lambda _: None), statement_cache=0)
    try:
        alerting = Alerting(link, receivers_of(settings), {}, settings.node.name or "sexton backup", utc_now)
        for event in events:
            alerting.hear(event)
        if alerting.pending:
            await alerting.step()
    finally:
        await link.close()


async def ended_by_sigterm(work: Coroutine[Any, Any, T]) -> T:
    """SIGTERM ends the work in good order, as Ctrl-C does; raises `CommandFailed` then."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    told = asyncio.Event()

    def stop() -> None:
        told.set()
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if not told.is_set():
            raise
        raise CommandFailed("stopped by SIGTERM; nothing half done is left") from None
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
