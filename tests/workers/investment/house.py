"""The people, investments and books of a test, and its jobs performed as production would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.workers.suite_under_test import WITH_ADMINISTRATORS, SuiteUnderTest
from workers.investment.settings import Settings

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class House(SuiteUnderTest):
    SETTINGS = Settings
    USUAL = WITH_ADMINISTRATORS

    async def user(self, id_: int, *, referrer: int | None = None, created_at: datetime = LONG_AGO, **more: Any) -> int:
        values = {
            "id": id_, "email": f"u{id_}@example.org", "referrer_id": referrer, "created_at": created_at, **more,
        }  # fmt: skip
        return await self.insert("app_user", **values)

    async def plan(self, id_: int = 1, *, rate: str = "0.01", cap: str | None = None, days: int = 365) -> None:
        await self.insert("plan", id=id_, name=f"plan {id_}", duration_days=days)
        await self.connection.execute(
            "INSERT INTO investment.plan_rate VALUES ($1, '[2000-01-01,)', $2, $3)",
            id_, Decimal(rate), None if cap is None else Decimal(cap),
        )  # fmt: skip

    async def invest(
        self, id_: int, user_id: int, principal: str = "1000.00", *, on: date, until: date, plan: int = 1, **more: Any
    ) -> int:
        values = {
            "id": id_, "user_id": user_id, "plan_id": plan, "principal": Decimal(principal), "activated_on": on,
            "last_accrual_on": until, "created_at": LONG_AGO, **more,
        }  # fmt: skip
        return await self.insert("investment", **values)

    async def book(
        self, user_id: int, kind: str, amount: str, at: datetime, *, currency: str = "INR", status: str = "POSTED"
    ) -> None:
        """A ledger row and what it does to the wallet."""
        ref = f"test-{await self.count('ledger')}"
        await self.insert(
            "ledger", user_id=user_id, kind=kind, amount=Decimal(amount), created_at=at, currency=currency,
            status=status, ref=ref,
        )  # fmt: skip
        if status != "VOID":
            await self.connection.execute(
                "INSERT INTO investment.wallet AS w VALUES ($1, $2, $3) "
                "ON CONFLICT (user_id, currency) DO UPDATE SET balance = w.balance + excluded.balance",
                user_id, currency, Decimal(amount),
            )  # fmt: skip

    async def keys(self) -> list[str]:
        return [row["dedupe_key"] for row in await self.messages()]
