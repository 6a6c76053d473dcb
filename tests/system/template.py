"""One seeded cluster for each kind of server, made once a test session whatever the number of its processes."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from daemon import migrate
from daemon.embedded import open_database
from tests.system.account import Totals
from tests.system.account import totals as charged
from tests.system.daemons import WITHOUT_PAGES
from tests.system.one_life import one_life
from tests.system.place import LOOSE, Place, copied
from tests.system.stage import flights_environment
from tests.system.waiting import row
from workers.flights.seed import seed

SEEDED = {"flights": "workers.flights"}


class Template:
    """`folder` is the stopped, seeded cluster, and `quiet` one with no flight to bill; `expected` is what a clean
    run makes of the first."""

    def __init__(self, folder: Path, expected: Totals, flights: int) -> None:
        self.folder, self.expected, self.flights = folder, expected, flights
        self.quiet = quiet(folder)


async def template(shared: Path, bindir: Path | None, scale: float) -> Template:
    """What its flights come to is the same for every kind of server, so one clean run serves them all."""
    folder = shared / ("template" if bindir is None else "template-external")
    flights: int = await once(folder.with_suffix(".json"), lambda: _made(folder, bindir, scale))
    totals = await once(shared / "template-totals.json", lambda: _clean_run(folder, bindir))
    return Template(
        folder, {currency: (count, Decimal(amount)) for currency, (count, amount) in totals.items()}, flights
    )


async def once(facts: Path, make: Callable[[], Awaitable[Any]]) -> Any:
    """What `make` finds, kept by whichever test process comes first, for all."""
    with alone(facts.with_suffix(".lock")):
        if not facts.exists():
            facts.write_text(json.dumps(await make()))
        return json.loads(facts.read_text())


async def _made(folder: Path, bindir: Path | None, scale: float) -> int:
    """How many flights there are to bill."""
    shutil.rmtree(folder, ignore_errors=True)
    flights = await _seed(folder, bindir, scale)
    await _empty(copied(folder, quiet(folder)), bindir)
    return flights


async def _seed(folder: Path, bindir: Path | None, scale: float) -> int:
    async with _database(folder, bindir) as connection:
        await migrate.migrate(connection, [*migrate.engine_migrations(), *migrate.suite_migrations(SEEDED)])
        await seed(connection, scale=scale, cache=_cache(), progress=lambda *_: None)
        return int(await connection.fetchval("SELECT count(*) FROM flights.flight_processing_queue"))


async def _empty(folder: Path, bindir: Path | None) -> None:
    async with _database(folder, bindir) as connection:
        await connection.execute("TRUNCATE flights.flight_processing_queue")


def quiet(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-quiet")


async def _clean_run(folder: Path, bindir: Path | None) -> dict[str, tuple[int, str]]:
    """What the flights come to when nothing goes wrong."""
    copy = folder.with_name(f"{folder.name}-clean")
    place = Place(copied(folder, copy), bindir)
    async with one_life(place, flights_environment(place, copy.parent, copy.name, **WITHOUT_PAGES)) as connection:
        await row(connection, "SELECT NOT EXISTS (SELECT FROM flights.flight_processing_queue)", seconds=90)
        return {currency: (count, str(amount)) for currency, (count, amount) in (await charged(connection)).items()}


@asynccontextmanager
async def _database(folder: Path, bindir: Path | None) -> AsyncIterator[asyncpg.Connection]:
    async with open_database(folder, bindir=bindir, settings=LOOSE) as url:
        connection = await asyncpg.connect(url)
        try:
            yield connection
        finally:
            await connection.close()


def _cache() -> Path:
    """Where `sexton seed` keeps the sample data, so that it is downloaded once a machine."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "sexton"


@contextmanager
def alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
