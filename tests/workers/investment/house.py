"""The people, investments and books of a test, and its jobs performed as production would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from daemon import Job
from daemon.letters import Letters
from daemon.testing import PerformedRun, perform
from workers.investment.settings import Settings

TEMPLATES = Letters({"investment": Path("workers/investment/templates")})
ADMINISTRATORS = ("ada@example.org", "bob@example.org")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class House:
    url: str
    connection: asyncpg.Connection

    async def perform(
        self,
        job: Job,
        due_at: datetime,
        *,
        settings: Mapping[str, Any] | None = None,
        args: Mapping[str, Any] | None = None,
        resume: int | None = None,
        **options: Any,
    ) -> PerformedRun:
        """One run; two administrators unless `settings` say otherwise."""
        chosen = Settings(**{"administrators": ADMINISTRATORS, **(settings or {})})
        return await perform(
            job, url=self.url, due_at=due_at, settings=chosen, args=args, resume=resume, now=due_at, **options
        )

    async def rows(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.connection.fetch(query, *args)]

    async def value(self, query: str, *args: object) -> Any:
        return await self.connection.fetchval(query, *args)

    async def count(self, table: str) -> int:
        return int(await self.connection.fetchval(f"SELECT count(*) FROM investment.{table}"))

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

    async def insert(self, table: str, **values: Any) -> int:
        columns = ", ".join(values)
        places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        await self.connection.execute(f"INSERT INTO investment.{table} ({columns}) VALUES ({places})", *values.values())
        return int(values.get("id", 0))

    async def messages(self) -> list[asyncpg.Record]:
        return await self.connection.fetch("SELECT * FROM sexton.outbox ORDER BY id")

    async def keys(self) -> list[str]:
        return [row["dedupe_key"] for row in await self.messages()]

    async def texts(self) -> list[tuple[str, str, str | None]]:
        """Subject, text and HTML of every message, made by the engine from the suite's templates."""
        made = []
        for row in await self.messages():
            data = json.loads(row["data"])
            data |= {"images": {name: f"cid:{name}" for name in data.get("images", {})}, "unsubscribe_url": None}
            made.append(TEMPLATES._texts(row["suite"], row["template"], row["channel"], data))
        return made
