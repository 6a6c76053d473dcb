"""Do the books agree? Wallet with ledger, ledger with what was distributed, and that with what the rates say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, Reader, Row, Transaction, days, hours, job, sql, tell_each
from workers.investment.settings import Settings

(
    DAYS_TO_AUDIT, DAYS_ASKED_FOR, WALLETS, PAID_TOTALS, ROI_OF_DAY, COMMISSION_OF_DAY, LEDGER_OF_DAY,
    KEEP_DIFFERENCES, KEEP_AUDITED,
) = sql.load(
    __file__, "days_to_audit", "days_asked_for", "wallets", "paid_totals", "roi_of_day", "commission_of_day",
    "ledger_of_day", "keep_differences", "keep_audited",
)  # fmt: skip

MOST = 1000
"""Rows kept of each comparison. If more differ, the total says so, and it is no longer about single rows."""
COLUMNS = ("what", "day", "user_id", "currency", "ref", "expected", "found")
SHOWN = 50
"""Rows in the mail."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not what it should be. `total` is how many there are of its comparison."""

    what: str
    day: date | None
    user_id: int | None
    currency: str | None
    ref: str | None
    expected: Decimal
    found: Decimal
    total: int

    def shown(self) -> dict[str, Any]:
        return {
            "what": self.what.replace("_", " "),
            "day": self.day.isoformat() if self.day else "",
            "user": "" if self.user_id is None else str(self.user_id),
            "currency": self.currency or "",
            "ref": self.ref or "",
            "expected": str(self.expected),
            "found": str(self.found),
            "difference": f"{self.found - self.expected:+}",
        }


@job(
    Cron("0 4 * * *", tz="Asia/Kolkata"),
    priority=Priority.HIGH,
    timeout=hours(1),
    catch_up=CatchUp.LATEST,
    business_day_offset=1,
    retention=days(8 * 366),
    aliases=("ledger-audit",),
)
async def ledger_audit(ctx: Context) -> None:
    """Compare wallets, ledger, payouts and rates, per user; alert the administrators with the rows that differ."""
    settings: Settings = ctx.settings
    asked = asked_for(ctx.args)
    async with ctx.snapshot() as reader:
        if asked:
            wanted = await reader.fetch(DAYS_ASKED_FOR, *asked)
        else:
            wanted = await reader.fetch(DAYS_TO_AUDIT, ctx.business_date, settings.audit_days)
        found = [*await compared(reader, WALLETS), *await compared(reader, PAID_TOTALS)]
        wrong = {row["day"]: await differences_of(reader, row) for row in wanted}
    found += [difference for differences in wrong.values() for difference in differences]
    async with ctx.completing() as tx:
        await keep(tx, ctx, found, [row for row in wanted if not wrong[row["day"]]])
        told = await alert(tx, ctx, found)
        tx.result({"days": len(wanted), "differences": totals(found), "told": told})
    if found:
        ctx.log.error("the books do not agree: %s; the rows are in investment.audit_difference", totals(found))


def asked_for(args: Any) -> tuple[date, date] | None:
    """Days to look through again, by hand: {"from": "2026-03-01", "until": "2026-03-31"}. Raises `ValueError`."""
    if not args:
        return None
    if args.keys() != {"from", "until"}:
        raise ValueError(f'args: {", ".join(sorted(args))}: give both "from" and "until", days such as "2026-03-31"')
    try:
        first, last = date.fromisoformat(args["from"]), date.fromisoformat(args["until"])
    except (TypeError, ValueError) as error:
        raise ValueError(f'args: {error}: "from" and "until" are days such as "2026-03-31"') from None
    if last < first:
        raise ValueError(f'args: "until" {last} is before "from" {first}')
    return first, last


async def differences_of(reader: Reader, day: Row) -> list[Difference]:
    """A paid day is compared with its rates too; of a reversed one only the opposite entries are left to check."""
    found = await compared(reader, LEDGER_OF_DAY, day["day"])
    if day["state"] == "PAID":
        found += await compared(reader, ROI_OF_DAY, day["day"], day["round"])
        found += await compared(reader, COMMISSION_OF_DAY, day["day"], day["round"])
    return found


async def compared(reader: Reader, statement: sql.Statement, *args: object) -> list[Difference]:
    return [Difference(**row) for row in await reader.fetch(statement, *args, MOST)]


async def keep(tx: Transaction, ctx: Context, found: Sequence[Difference], agreed: Sequence[Row]) -> None:
    """A day with differences is not noted as audited: it is looked at again every night until it agrees."""
    if found:
        columns = [[getattr(difference, name) for difference in found] for name in COLUMNS]
        await tx.execute(KEEP_DIFFERENCES, ctx.run_id, ctx.now(), *columns)
    for row in agreed:
        await tx.execute(KEEP_AUDITED, row["day"], row["round"], ctx.run_id, ctx.now())


async def alert(tx: Transaction, ctx: Context, found: Sequence[Difference]) -> int:
    """How many messages were new: one a run and administrator, with the first rows of each comparison."""
    if not found:
        return 0
    settings: Settings = ctx.settings
    data = letter(ctx.business_date, ctx.run_id, found)
    key = f"ledger_audit:{ctx.run_id}"
    return await tell_each(tx, settings.administrators, "ledger_difference", key=key, data=data, kind="alert")


def letter(day: date, run: int, found: Sequence[Difference]) -> dict[str, Any]:
    """What the mail is made of. `more`: rows beyond those that it lists."""
    return {
        "date": day.isoformat(),
        "run": run,
        "totals": totals(found),
        "rows": [difference.shown() for difference in found[:SHOWN]],
        "more": sum(totals(found).values()) - min(len(found), SHOWN),
    }


def totals(found: Sequence[Difference]) -> dict[str, int]:
    """By kind how many rows differ, those included that were too many to be kept."""
    of_each = {(difference.what, difference.day): difference.total for difference in found}
    counts: dict[str, int] = {}
    for (what, _), total in of_each.items():
        counts[what] = counts.get(what, 0) + total
    return counts
