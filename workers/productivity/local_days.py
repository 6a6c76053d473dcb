"""Which zones people live in, and what their dates are from and to, as the analytics' statements take them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from daemon import Context, seconds, sql
from workers.productivity.slots import Clocks, unknown_zones
from workers.productivity.zone_days import days_of, offsets_of

(ZONES,) = sql.load(__file__, "zones")

PATIENCE = seconds(60)


@dataclass(frozen=True, slots=True)
class LocalDays:
    """Every zone that somebody lives or lived in. What is asked of it is computed by a worker: for hundreds of zones it
    takes longer than the loop may be kept."""

    ctx: Context
    names: list[str]
    clocks: Clocks

    async def days(self, first: date, number: int) -> str:
        rows: str = await self.ctx.compute(days_of, self.names, self.clocks, first, number, timeout=PATIENCE)
        return rows

    async def offsets(self, first: datetime, past: datetime) -> str:
        rows: str = await self.ctx.compute(offsets_of, self.names, self.clocks, first, past, timeout=PATIENCE)
        return rows


async def local_days(ctx: Context) -> LocalDays:
    """Zones that do not exist are told in the log; an empty platform has UTC's days."""
    async with ctx.snapshot() as reader:
        names = [row["zone"] for row in await reader.fetch(ZONES)]
    clocks = Clocks(ctx.settings.reminders.default_timezone)
    if unknown := unknown_zones(names, clocks):
        ctx.log.warning(
            "%d time zones of people do not exist, and %s stands for them: %s",
            len(unknown), clocks.default, ", ".join(repr(zone) for zone in unknown[:10]),
        )  # fmt: skip
    return LocalDays(ctx, names or ["UTC"], clocks)
