"""Load the sample data: plans and rates, investors who referred one another, what they hold, and their accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from daemon import sql
from workers.investment import sample_people as sample

if TYPE_CHECKING:
    import asyncpg

COUNTS, NOW, ADD_PLANS, ADD_RATES, ADD_LEVELS, ADD_SETTINGS, GO_ON_NUMBERING, ANALYZE = sql.load(
    __file__, "counts", "now", "add_plans", "add_rates", "add_levels", "add_settings", "go_on_numbering", "analyze"
)

Progress = Callable[[str, int, int], None]

ACTIVE_AT_SCALE_1 = 1000
RATES_FROM = date(2020, 1, 1)
PENDING_EVERY = 50
BLOCKS_AT_ONCE = 20
"""In one transaction, so that an interrupted load goes on where it stopped."""


@dataclass(frozen=True, slots=True)
class Table:
    """What is copied into one table: rows as COPY's text lines, made from one person or investment each."""

    name: str
    columns: tuple[str, ...]
    lines: Callable[[Any, datetime], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Load:
    """Rows with ids above `after` up to `until`, drawn by block from `source`."""

    what: str
    source: Callable[[int], Iterator[Any]]
    tables: tuple[Table, ...]
    after: int
    until: int


def money(hundredths: int) -> str:
    sign, units = ("-", -hundredths) if hundredths < 0 else ("", hundredths)
    return f"{sign}{units // 100}.{units % 100:02}"


def before(now: datetime, seconds: int) -> str:
    return (now - timedelta(seconds=seconds)).isoformat()


def users(p: sample.Person, now: datetime) -> Iterator[str]:
    referrer = r"\N" if p.referrer is None else p.referrer
    yield (
        f"{p.id}\t{p.email}\t{p.phone}\t{p.tz}\t{p.status}\t{referrer}\t{before(now, p.joined_s)}\t"
        f"{before(now, p.seen_s)}\t{p.prefs}\n"
    )


def wallets(p: sample.Person, _: datetime) -> Iterator[str]:
    yield f"{p.id}\tINR\t{money(p.deposit - p.withdrawn)}\n"


def accounts(p: sample.Person, now: datetime) -> Iterator[str]:
    """What people put aside and took out, beside their investments. A few withdrawals are pending, since minutes."""
    if p.deposit:
        yield f"deposit:{p.id}\tDEPOSIT\tPOSTED\t{p.id}\t{before(now, p.joined_s)}\t{money(p.deposit)}\tINR\n"
    if p.withdrawn:
        pending = p.id % PENDING_EVERY == 0
        status, at = ("PENDING", before(now, p.id % 1200)) if pending else ("POSTED", before(now, p.seen_s))
        yield f"withdrawal:{p.id}\tWITHDRAWAL\t{status}\t{p.id}\t{at}\t-{money(p.withdrawn)}\tINR\n"


def sessions(p: sample.Person, now: datetime) -> Iterator[str]:
    if p.id % 10 == 0:
        yield f"{p.id}\t{before(now, p.seen_s)}\t{before(now, p.seen_s)}\t{before(now, p.seen_s - 43_200)}\n"


def notifications(p: sample.Person, now: datetime) -> Iterator[str]:
    if p.id % 20 == 0:
        joined = before(now, p.joined_s)
        yield f"{p.id}\ttransactional\tWelcome\tYour account is open.\t{joined}\t{joined}\n"


def investments(h: sample.Holding, now: datetime) -> Iterator[str]:
    created, since, until = now.date(), r"\N", r"\N"
    if h.age is not None:
        created = now.date() - timedelta(days=h.age)
        since, until = str(created), str(created + timedelta(days=h.plan.days))
    yield (
        f"{h.id}\t{h.user}\t{h.plan.id}\t{since}\t{until}\t{money(h.principal)}\t{h.currency}\t{h.status}\t{created}\n"
    )


def purchases(h: sample.Holding, now: datetime) -> Iterator[str]:
    """The principal comes in and goes into the investment, so that the wallet is as it was."""
    if h.status == "ACTIVE" and h.age is not None:
        at = now.date() - timedelta(days=h.age)
        yield f"deposit:investment:{h.id}\tDEPOSIT\tPOSTED\t{h.user}\t{at}\t{money(h.principal)}\t{h.currency}\n"
        yield f"investment:{h.id}\tADJUST\tPOSTED\t{h.user}\t{at}\t-{money(h.principal)}\t{h.currency}\n"


LEDGER = ("ref", "kind", "status", "user_id", "created_at", "amount", "currency")
OF_PEOPLE = (
    Table(
        "app_user",
        ("id", "email", "phone", "tz", "status", "referrer_id", "created_at", "last_login_at", "prefs"),
        users,
    ),
    Table("wallet", ("user_id", "currency", "balance"), wallets),
    Table("ledger", LEDGER, accounts),
    Table("session", ("user_id", "created_at", "last_seen_at", "expires_at"), sessions),
    Table("notification", ("user_id", "kind", "title", "body", "created_at", "fanned_out_at"), notifications),
)
INVESTMENT = (
    "id", "user_id", "plan_id", "activated_on", "last_accrual_on", "principal", "currency", "status", "created_at",
)  # fmt: skip
OF_HOLDINGS = (Table("investment", INVESTMENT, investments), Table("ledger", LEDGER, purchases))


async def seed(
    connection: asyncpg.Connection[Any], *, scale: float, cache: Path, progress: Progress
) -> Mapping[str, int]:
    """Load what is missing and say how many rows were new.

    `scale` 1 is 1,000 active investments of some 800 people; N is N times as many, with the same beginning, so that
    a larger scale adds to a smaller one. Raises `ValueError` where there are people who are not the sample's.
    """
    del cache  # nothing is downloaded
    there = await connection.fetchrow(COUNTS.text)
    assert there is not None
    if there["strangers"] or there["people"] != there["last_person"]:
        raise ValueError("investment.app_user has people of its own: sample data goes into a database without any")
    now = (await connection.fetchval(NOW.text)).astimezone(ZoneInfo("Asia/Kolkata"))
    wanted = sample.investments(max(1, round(scale * ACTIVE_AT_SCALE_1)))
    async with connection.transaction():
        await seed_plans(connection, now)
    loads = (
        Load("people", sample.persons, OF_PEOPLE, there["last_person"], sample.people(wanted)),
        Load("investments", sample.holdings, OF_HOLDINGS, there["last_investment"], wanted),
    )
    for load in loads:
        await load_rows(connection, load, now, progress)
    await connection.execute(GO_ON_NUMBERING.text)
    await connection.execute(ANALYZE.text)
    return {load.what: max(0, load.until - load.after) for load in loads}


async def load_rows(connection: asyncpg.Connection[Any], load: Load, now: datetime, progress: Progress) -> None:
    """Some blocks at a time, each time in all their tables or in none."""
    after = load.after
    while after < load.until:
        progress(load.what, after, load.until)
        upto = min(load.until, (after // sample.BLOCK + BLOCKS_AT_ONCE) * sample.BLOCK)
        drawn = list(rows(load.source, after, upto))
        async with connection.transaction():
            for table in load.tables:
                await copy(connection, table, drawn, now)
        after = upto
    progress(load.what, load.until, load.until)


async def seed_plans(connection: asyncpg.Connection[Any], now: datetime) -> None:
    """Plans with their old and present rates, commission levels, and two settings."""
    plans = sample.PLANS
    ids = [p.id for p in plans]
    await connection.execute(
        ADD_PLANS.text, ids, [p.name for p in plans], [p.days for p in plans], [p.least for p in plans],
        [p.most for p in plans],
    )  # fmt: skip
    await connection.execute(
        ADD_RATES.text, ids, [Decimal(p.rate) for p in plans], [Decimal(p.old_rate) for p in plans],
        [None if p.cap is None else Decimal(p.cap) for p in plans], RATES_FROM,
        now.date().replace(month=1, day=1) - timedelta(days=90),
    )  # fmt: skip
    await connection.execute(ADD_LEVELS.text, [Decimal(rate) for rate in sample.LEVELS], RATES_FROM)
    await connection.execute(ADD_SETTINGS.text, now)


def rows(source: Callable[[int], Iterator[Any]], after: int, upto: int) -> Iterator[Any]:
    """What has ids above `after` up to `upto`; blocks are drawn whole."""
    for block in range(after // sample.BLOCK, -(-upto // sample.BLOCK)):
        for row in source(block):
            if after < row.id <= upto:
                yield row


async def copy(connection: asyncpg.Connection[Any], table: Table, found: Iterable[Any], now: datetime) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        buffer: list[str] = []
        for row in found:
            buffer.extend(table.lines(row, now))
            if len(buffer) >= sample.BLOCK:
                yield "".join(buffer).encode()
                buffer.clear()
        yield "".join(buffer).encode()

    await connection.copy_to_table(
        table.name, schema_name="investment", columns=table.columns, source=chunks(), format="text"
    )
