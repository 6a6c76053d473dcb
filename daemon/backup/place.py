"""Where backups are made and who makes them: what every step of one needs."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from daemon.backup.errors import of_the_program
from daemon.backup.shelf import Shelf
from daemon.backup.snapshot import Progress
from daemon.backup.tools import Tools
from daemon.command import CommandError, run_command
from daemon.database_url import without_password
from daemon.settings import Settings

LAST_LINES = 5


@dataclass(frozen=True, slots=True)
class Place:
    """`url` bypasses a transaction pooler. `application` names our sessions: rescue ends a dead node's by it."""

    settings: Settings
    url: str
    application: str

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.settings.backup_directory)

    @property
    def jobs(self) -> int:
        return self.settings.backup.jobs


@asynccontextmanager
async def alone(shelf: Shelf) -> AsyncIterator[None]:
    """The directory for us alone. Raises `BackupUnderway` and `DirectoryUnusable`."""
    taking = asyncio.create_task(asyncio.to_thread(shelf.take))
    try:
        descriptor = await asyncio.shield(taking)
    except asyncio.CancelledError:
        taking.add_done_callback(_give_back)
        raise
    try:
        yield
    finally:
        os.close(descriptor)


def _give_back(taking: asyncio.Task[int]) -> None:
    if not taking.cancelled() and taking.exception() is None:
        os.close(taking.result())


def counted(begins: str, jobs: int, what: str, total: int, progress: Progress) -> Callable[[str], None]:
    """Hears of each table whose rows are done. Several processes say when they have `finished` one, a single one says
    what it `begins`; these lines are the only progress there is.
    """
    said, done = (r"finished item \d+ TABLE DATA " if jobs > 1 else begins), 0
    progress(what, done, total)

    def hear(line: str) -> None:
        nonlocal done
        if done < total and re.search(said, line):
            done += 1
            progress(what, done, total)

    return hear


async def run_tool(
    tools: Tools, program: str, options: Sequence[str], url: str, application: str, folder: Path,
    on_line: Callable[[str], None],
) -> None:  # fmt: skip
    """pg_dump or pg_restore on the database of `url`, whose password no argument shows. Raises `BackupError`."""
    clean, password = without_password(url)
    last: list[str] = []

    def hear(line: str) -> None:
        if "error" in line or "fatal" in line or last:
            del last[: -LAST_LINES + 1]
            last.append(line.strip())
        on_line(line)

    try:
        await run_command(
            [*tools.command(program), *options, f"--dbname={clean}"], timeout=None, on_line=hear,
            environment=_environment(tools.environment, application, password),
        )  # fmt: skip
    except CommandError as error:
        words = " ".join(last) or error.stderr.strip()[-500:]
        raise of_the_program(program, error.returncode, words, folder) from error


def _environment(tools: Mapping[str, str], application: str, password: str | None) -> dict[str, str]:
    """`ps` shows arguments to everybody, and the environment to ourselves alone."""
    given = {"PGPASSWORD": password} if password is not None else {}
    return {**tools, "LC_ALL": "C", "PGAPPNAME": application, **given}
