"""What the calendar month before this one brought: growth, patterns of investing, revenue, best plans, performance."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from daemon import CatchUp, Context, Cron, Overlap, Priority, Reader, days, job, minutes, sql
from workers.investment.figures import ZERO, PlanSum, growth_pct, share_pct, text_or_none, top_plans
from workers.investment.period import Period, last_month, month_before
from workers.investment.reporting import collect, publish, zone_of
from workers.investment.settings import Settings
from workers.investment.summary import summary

USERS_BEFORE, PLANS, PATTERNS, PERFORMANCE, RUNS = sql.load(
    __file__, "users_before", "plans", "patterns", "performance", "runs"
)


@job(
    Cron("0 3 1 * *", tz="Asia/Kolkata"),
    priority=Priority.MEDIUM,
    timeout=minutes(15),
    catch_up=CatchUp.EACH(12),
    overlap=Overlap.QUEUE,
    retention=days(8 * 366),
    aliases=("monthly-analytics",),
)
async def monthly_analytics(ctx: Context) -> None:
    """What the calendar month before this one brought: growth, patterns, revenue, best plans, performance."""
    settings: Settings = ctx.settings
    month, zone = last_month(ctx.logical_date), zone_of(ctx.due_at)
    before = month_before(month)
    async with ctx.snapshot() as reader:
        collected = await collect(reader, month, before, zone)
        payload = {
            "timezone": zone,
            **summary(collected, month, before),
            "growth": await growth(reader, month, zone),
            "patterns": await patterns(reader, month),
            "top_plans": await best_plans(reader, month, settings.top_plans),
            "performance": await performance(reader, month, zone),
        }
    async with ctx.completing() as tx:
        await publish(tx, ctx, "monthly", f"{month.start:%Y_%m}", payload)


async def growth(reader: Reader, month: Period, zone: str) -> dict[str, Any]:
    """Registered people at both ends of the month."""
    start: int = await reader.fetchval(USERS_BEFORE, month.start, zone)
    end: int = await reader.fetchval(USERS_BEFORE, month.end, zone)
    return {"users_at_start": start, "users_at_end": end, "growth_pct": text_or_none(growth_pct(end, start))}


async def patterns(reader: Reader, month: Period) -> dict[str, dict[str, Any]]:
    """By currency, how people invested; amounts as text."""
    rows = await reader.fetch(PATTERNS, month.start, month.end)
    return {
        row["currency"]: {
            **{name: str(row[name]) for name in ("average", "median", "smallest", "largest")},
            "investors": row["investors"],
            "first_time": row["first_time"],
        }
        for row in rows
    }


async def best_plans(reader: Reader, month: Period, most: int) -> dict[str, list[dict[str, Any]]]:
    """By currency, the plans with the largest sums and their share of all that was invested."""
    return ranked([PlanSum(**row) for row in await reader.fetch(PLANS, month.start, month.end)], most)


def ranked(plans: Sequence[PlanSum], most: int) -> dict[str, list[dict[str, Any]]]:
    """By currency the `most` plans with the largest sums, as the report shows them."""
    whole: dict[str, Decimal] = {}
    for plan in plans:
        whole[plan.currency] = whole.get(plan.currency, ZERO) + plan.invested
    return {
        currency: [
            {
                "plan_id": plan.plan_id,
                "name": plan.name,
                "investments": plan.investments,
                "invested": str(plan.invested),
                "share_pct": text_or_none(share_pct(plan.invested, whole[currency])),
            }
            for plan in best
        ]
        for currency, best in top_plans(plans, most).items()
    }


async def performance(reader: Reader, month: Period, zone: str) -> dict[str, Any]:
    """How the work itself went: payouts, health, and each job's runs. Times in seconds or as named."""
    row = await reader.fetchrow(PERFORMANCE, month.start, month.end, zone)
    assert row is not None
    runs = await reader.fetch(RUNS, month.start, month.end, zone)
    return {
        "days": len(list(month.days())),
        **{name: rounded(value) for name, value in dict(row).items()},
        "jobs": [{name: rounded(value) for name, value in dict(run).items()} for run in runs],
    }


def rounded(value: object) -> object:
    """Measured times need no more than a thousandth."""
    return round(value, 3) if isinstance(value, float) else value
