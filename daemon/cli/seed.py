"""`sexton seed`: a suite's sample data, loaded by the suite's own `seed`."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

import asyncpg

from daemon import migrate, sql
from daemon.catalogue import Catalogue
from daemon.cli.common import BadUsage, CommandFailed, Invocation, run_async
from daemon.cli.database import connected
from daemon.cli.progress import Progress, progress_shown
from daemon.naming import did_you_mean

TABLES, HAS_ROWS = sql.load(__file__, "tables", "has_rows")

Seed = Callable[..., Awaitable[Mapping[str, int]]]


def seed_suite(invocation: Invocation, suite: str, scale: float, *, into_this_database: bool = False) -> int:
    """Load a suite's sample data, which may be done again without harm.

    Not into an external database where the suite has rows already, unless told `into_this_database`.
    """
    settings, catalogue = invocation.settings, invocation.catalogue
    seed = seed_of(catalogue, suite)
    if not 0 < scale < float("inf"):
        raise BadUsage(f"--scale {scale:g}: must be a number above zero")
    wanted = [*migrate.engine_migrations(), *migrate.suite_migrations(catalogue.packages)]

    async def load(progress: Progress) -> Mapping[str, int]:
        async with connected(settings, create=True, command_timeout=None) as (connection, place):
            if not (place.embedded or into_this_database):
                await refuse_if_used(connection, suite, brought_along(catalogue.packages[suite]))
            await migrate.migrate(connection, wanted)
            return await seed(connection, scale=scale, cache=cache_folder(), progress=progress)

    try:
        with progress_shown(suite) as progress:
            counts = run_async(lambda: load(progress))
    except Exception as error:
        if not _is_told(error, catalogue.packages[suite]):
            raise
        raise CommandFailed(f"seed {suite}: {error}") from error
    for what, count in counts.items():
        print(f"{what}: {count}")
    return 0


async def refuse_if_used(connection: asyncpg.Connection, suite: str, brought: Collection[str]) -> None:
    """Raises `CommandFailed` when the suite has rows of anybody's; those its migrations bring do not count."""
    names = [row["name"] for row in await connection.fetch(TABLES.text, suite) if row["name"] not in brought]
    used = [name for name in names if await connection.fetchval(HAS_ROWS.on(table=name).text)]
    if used:
        raise CommandFailed(
            f"seed {suite}: this database is not the embedded one and has rows already ({', '.join(used[:3])}); to "
            "add sample data to them all the same: --into-this-database"
        )


def seed_of(catalogue: Catalogue, suite: str) -> Seed:
    """The suite's `seed.seed`. Raises `BadUsage` for an unknown suite, `CommandFailed` for one without sample data."""
    package = catalogue.packages.get(suite)
    if package is None:
        raise BadUsage(f"there is no suite {suite!r}{did_you_mean(suite, catalogue.packages)}")
    if importlib.util.find_spec(f"{package}.seed") is None:
        raise CommandFailed(f"{suite} has no sample data: {package}.seed does not exist")
    seed: Seed = importlib.import_module(f"{package}.seed").seed
    return seed


def brought_along(package: str) -> Collection[str]:
    """The suite's numbered tables that have rows from its migrations on: `seed.BROUGHT_ALONG`, if there are any."""
    found: Collection[str] = getattr(importlib.import_module(f"{package}.seed"), "BROUGHT_ALONG", ())
    return found


def _is_told(error: Exception, package: str) -> bool:
    """Whether an error is one the suite words for its operator, rather than a fault of its code."""
    if isinstance(error, ValueError) and not isinstance(error, asyncpg.InterfaceError):
        return True
    return type(error).__module__.startswith(package)


def cache_folder() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME/sexton`, else `~/.cache/sexton`; made if need be."""
    home = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(home) if home else Path.home() / ".cache") / "sexton"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
