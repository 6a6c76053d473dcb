"""A house whose last thirty days nobody has paid yet, and what they come to when nothing goes wrong."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg

from daemon import migrate
from tests.system.daemons import WITHOUT_PAGES, environment_of
from tests.system.node import Node
from tests.system.one_life import one_life
from tests.system.payouts.books import Books, books
from tests.system.place import Place, copied
from tests.system.template import once
from tests.system.waiting import row
from workers.investment.seed import ACTIVE_AT_SCALE_1, seed

JOB = "investment.daily_roi_distribution"
DAYS = 30
OTHERS = (
    "data_cleanup", "ledger_audit", "monthly_analytics", "notification_processing", "system_health", "weekly_report",
)  # fmt: skip
KNOWN = f"SELECT evaluated_until FROM sexton.job WHERE name = '{JOB}'"
PAID = "SELECT count(*) FROM investment.accrual_day WHERE state = 'PAID'"
# Everybody was there before the first of the days; of the cheap plan the cap is reached on the 20th, and one
# investment in fifty matures on one of them.
LONG_AGO = f"""
    UPDATE investment.investment SET activated_on = activated_on - {DAYS + 1} WHERE activated_on IS NOT NULL;
    UPDATE investment.investment SET last_accrual_on = (now() AT TIME ZONE '{{zone}}')::date - (id / 50 % {DAYS})::int
    WHERE id % 50 = 0 AND activated_on IS NOT NULL;
    UPDATE investment.plan_rate SET cap_ratio = 20 * daily_rate WHERE plan_id = 5
"""
DOWN_SINCE = f"UPDATE sexton.job SET evaluated_until = evaluated_until - interval '{DAYS} days' WHERE name = '{JOB}'"


def tell(what: str) -> None:
    """Progress, for who has asked to see it: pytest -s."""
    print(time.strftime("%H:%M:%S"), what, flush=True)


@dataclass(frozen=True, slots=True)
class House:
    """`folder` is the stopped cluster; `days` are the first and last that are owed; `books` what a clean run makes
    of them."""

    folder: Path
    bindir: Path | None
    zone: str
    days: tuple[date, date]
    investments: int
    books: Books

    def environment(self) -> dict[str, str]:
        return payout_environment(self.zone, self.investments)


def payout_environment(zone: str, investments: int) -> dict[str, str]:
    """Five ranges a day and more. Only payouts are due by the clock, and none while the tests run."""
    name = "SEXTON_JOBS__INVESTMENT__"
    return {
        "SEXTON_SUITES": "workers.investment",
        "SEXTON_SUITE__INVESTMENT__RANGE_SIZE": str(max(investments // 5, 1)),
        f"{name}DAILY_ROI_DISTRIBUTION__TIMEZONE": zone,
        f"{name}DAILY_ROI_DISTRIBUTION__TIMEOUT": "1h",
        f"{name}LEDGER_AUDIT__TIMEOUT": "1h",
        **{f"{name}{other.upper()}__SCHEDULE": "ondemand" for other in OTHERS},
    }


async def late_zone() -> str:
    """The zone in which the next midnight is the farthest away: a day that ended in mid-test would be owed by some
    histories and not by others."""
    hour = datetime.now(UTC).hour
    behind = hour if hour <= 12 else hour - 24
    return f"Etc/GMT{behind:+d}" if behind else "Etc/GMT"


async def house(shared: Path, bindir: Path | None, investments: int) -> House:
    """The one of these programs. What is owed is the same for all, so one clean run serves them all."""
    folder = shared / ("house" if bindir is None else "house-external")
    zone: str = await once(shared / "house-zone.json", late_zone)
    days = await once(folder.with_suffix(".json"), lambda: _found(folder, bindir, zone, investments))
    expected = await once(shared / "house-books.json", lambda: _clean_run(folder, bindir, zone, investments))
    first, last = (date.fromisoformat(day) for day in days)
    return House(folder, bindir, zone, (first, last), investments, expected)


async def _found(folder: Path, bindir: Path | None, zone: str, investments: int) -> list[str]:
    """Seed it, let a daemon get to know the jobs, and set back how far they were evaluated: it has been down since."""
    shutil.rmtree(folder, ignore_errors=True)
    place = Place(folder, bindir)
    tell(f"a house of {investments} investments is seeded")
    async with place.connection() as connection:
        suites = migrate.suite_migrations({"investment": "workers.investment"})
        await migrate.migrate(connection, [*migrate.engine_migrations(), *suites])
        await seed(connection, scale=investments / ACTIVE_AT_SCALE_1, cache=folder, progress=lambda *_: None)
        today = (await connection.fetchval("SELECT sexton.clock()")).astimezone(ZoneInfo(zone)).date()
        await connection.execute(LONG_AGO.format(zone=zone))
        await connection.execute("VACUUM ANALYZE investment.investment")
    node = await Node.start(_environment(place, folder.parent, zone, investments))
    await node.ready()
    opened = await asyncpg.connect(place.url)
    await row(opened, KNOWN)
    await opened.close()
    assert await node.stop() == 0
    async with place.connection() as connection:
        await connection.execute(DOWN_SINCE)
    return [str(today - timedelta(days=DAYS)), str(today - timedelta(days=1))]


async def until_paid(connection: asyncpg.Connection, said: Callable[[str], None]) -> None:
    """Wait until every day has been paid, and tell of each tenth."""
    for days in range(10, DAYS + 1, 10):
        await row(connection, f"SELECT ({PAID}) >= $1", days, seconds=3600)
        said(f"{days} of {DAYS} days are paid")


async def _clean_run(folder: Path, bindir: Path | None, zone: str, investments: int) -> Books:
    place = Place(copied(folder, folder.with_name(f"{folder.name}-clean")), bindir)
    async with one_life(place, _environment(place, folder.parent, zone, investments)) as connection:
        await until_paid(connection, lambda what: tell(f"a clean run: {what}"))
        return await books(connection)


def _environment(place: Place, folder: Path, zone: str, investments: int) -> dict[str, str]:
    return environment_of(place, folder, folder.name, **WITHOUT_PAGES, **payout_environment(zone, investments))
