"""Days paid on a real database, what the books say afterwards, and runs that are cut off in the middle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from daemon.testing import PerformedRun
from tests.workers.investment.house import House
from workers.investment.daily_roi_distribution import daily_roi_distribution
from workers.investment.payout_reversal import payout_reversal

INDIA = ZoneInfo("Asia/Kolkata")
DAY = date(2026, 3, 10)
TABLES = (
    "app_user, plan, plan_rate, commission_level, investment, accrual_day, accrual_rate, accrual_level, accrual_total, "
    "roi_distribution, commission, ledger, wallet, parked_payout, investment_archive"
)
# An error of no row's doing, when the payout gets to this investment: the run fails, what is committed stays.
MINE = """
CREATE TABLE IF NOT EXISTS public.mine (at bigint);
CREATE OR REPLACE FUNCTION public.tread() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.investment_id >= (SELECT min(at) FROM public.mine) THEN
        RAISE EXCEPTION 'cut off';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER mine BEFORE INSERT ON investment.roi_distribution
    FOR EACH ROW EXECUTE FUNCTION public.tread();
"""


@dataclass
class Payouts(House):
    """A house that pays. `small` ranges, so that a few investments are several transactions."""

    small: int = 2

    async def cleared(self) -> Payouts:
        await self.connection.execute(f"TRUNCATE {', '.join('investment.' + t for t in TABLES.split(', '))} CASCADE")
        await self.connection.execute("TRUNCATE sexton.run, sexton.outbox RESTART IDENTITY CASCADE")
        await self.connection.execute(MINE)
        await self.connection.execute("TRUNCATE public.mine")
        return self

    async def pay(
        self, day: date = DAY, *, resume: int | None = None, args: Mapping[str, Any] | None = None, again: int = 0,
        **settings: Any,
    ) -> PerformedRun:  # fmt: skip
        """The run of the midnight after `day`. `again`: another one, so many microseconds later."""
        due = datetime.combine(day + timedelta(days=1), time(), INDIA) + timedelta(microseconds=again)
        chosen = {"range_size": self.small, **settings}
        return await self.perform(daily_roi_distribution, due, settings=chosen, args=args, resume=resume)

    async def reverse(self, day: date = DAY, *, resume: int | None = None, at: int = 0) -> PerformedRun:
        due = datetime(2027, 1, 1, tzinfo=INDIA) + timedelta(microseconds=at)
        return await self.perform(
            payout_reversal, due, settings={"range_size": self.small}, args={"day": str(day)}, resume=resume
        )

    async def levels(self, *rates: str) -> None:
        await self.connection.executemany(
            "INSERT INTO investment.commission_level VALUES ($1, '[2000-01-01,)', $2)",
            [(level, Decimal(rate)) for level, rate in enumerate(rates, 1)],
        )

    async def cut_off_at(self, investment: int | None) -> None:
        """The payout fails when it gets there; None: not any more."""
        await self.connection.execute("TRUNCATE public.mine")
        if investment is not None:
            await self.connection.execute("INSERT INTO public.mine VALUES ($1)", investment)

    async def books(self) -> dict[str, Any]:
        """What the tables say, shaped as the oracle says it."""
        fetch = self.connection.fetch
        distributions = await fetch("SELECT * FROM investment.roi_distribution")
        commissions = await fetch("SELECT * FROM investment.commission")
        messages = await fetch("SELECT dedupe_key, recipient, data FROM sexton.outbox WHERE template = 'roi_digest'")
        assert all(row["dedupe_key"].endswith(f":{row['recipient']}") for row in messages)
        return {
            "distributions": {(r["accrual_date"], r["round"], r["investment_id"]): r["amount"] for r in distributions},
            "commissions": {
                (r["accrual_date"], r["round"], r["level"], r["investment_id"]): (r["beneficiary_id"], r["amount"])
                for r in commissions
            },
            "ledger": {
                (r["ref"], r["kind"]): (r["user_id"], r["currency"], r["amount"])
                for r in await fetch("SELECT * FROM investment.ledger")
            },
            "wallets": {
                (r["user_id"], r["currency"]): r["balance"] for r in await fetch("SELECT * FROM investment.wallet")
            },
            "messages": {r["dedupe_key"]: _two_places(json.loads(r["data"])["purses"]) for r in messages},
            "investments": {
                r["id"]: (r["paid_total"], r["status"]) for r in await fetch("SELECT * FROM investment.investment")
            },
        }

    async def total_of(self, table: str) -> Decimal:
        total: Decimal = await self.value(f"SELECT coalesce(sum(amount), 0) FROM investment.{table}")
        return total


def _two_places(purses: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {c: {what: str(Decimal(text)) for what, text in purse.items()} for c, purse in purses.items()}
