"""The customers, products, orders and payments of a test, and its jobs performed as production would."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from daemon import Job
from daemon.letters import Letters
from daemon.testing import PerformedRun, perform
from workers.jewellery.settings import Settings

TEMPLATES = Letters({"jewellery": Path("workers/jewellery/templates")})
ADMINISTRATORS = ("ada@example.org", "bob@example.org")
NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
"""Noon in Asia/Kolkata."""
AN_HOUR_AGO = NOW - timedelta(hours=1)


@dataclass
class Shop:
    url: str
    connection: asyncpg.Connection
    runs: int = 0

    async def perform(
        self, job: Job, at: datetime = NOW, *, settings: Mapping[str, Any] | None = None, **options: Any
    ) -> PerformedRun:
        """One run at an instant; two administrators unless `settings` say otherwise."""
        chosen = Settings(**{"administrators": ADMINISTRATORS, **(settings or {})})
        self.runs += 1  # an instant has one run of a job
        due_at = at + timedelta(microseconds=self.runs)
        return await perform(job, url=self.url, due_at=due_at, settings=chosen, now=at, **options)

    async def rows(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.connection.fetch(query, *args)]

    async def value(self, query: str, *args: object) -> Any:
        return await self.connection.fetchval(query, *args)

    async def count(self, table: str) -> int:
        return int(await self.value(f"SELECT count(*) FROM jewellery.{table}"))

    async def insert(self, table: str, **values: Any) -> None:
        marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        await self.connection.execute(
            f"INSERT INTO jewellery.{table} ({', '.join(values)}) VALUES ({marks})", *values.values()
        )

    async def customer(self, id_: str = "c1", **more: Any) -> str:
        await self.insert("customer", **{"id": id_, "name": "Asha", "email": f"{id_}@example.org", **more})
        return id_

    async def product(self, id_: str = "ring", stock: int = 10, **more: Any) -> str:
        await self.insert("product", **{"id": id_, "sku": f"sku-{id_}", "name": id_.title(), "stock": stock, **more})
        return id_

    async def order(
        self,
        id_: str = "o1",
        *,
        customer: str = "c1",
        items: Sequence[tuple[str | None, str, int, str]] = (("ring", "Ring", 1, "499.50"),),
        locked_until: datetime | None = None,
        **more: Any,
    ) -> str:
        """`items`: product, name, pieces, price of one. With `locked_until` each piece is reserved until then."""
        total = sum((Decimal(price) * pieces for _, _, pieces, price in items), Decimal(0))
        values = {"id": id_, "order_number": f"ORA-{id_}", "customer_id": customer, "total_amount": total}
        await self.insert("orders", **{**values, "created_at": AN_HOUR_AGO, **more})
        for product, name, pieces, price in items:
            await self.insert(
                "order_item", order_id=id_, product_id=product, name=name, quantity=pieces, unit_price=Decimal(price)
            )
            if locked_until is not None:
                await self.insert(
                    "inventory_lock", product_id=product, order_id=id_, quantity=pieces, expires_at=locked_until
                )
        return id_

    async def payment(self, id_: str = "p1", *, order: str = "o1", amount: str | None = None, **more: Any) -> str:
        """PENDING since an hour ago, of the order's total, asked for as `order_<id>`."""
        total = await self.value("SELECT total_amount FROM jewellery.orders WHERE id = $1", order)
        values = {
            "id": id_, "order_id": order, "provider_order_id": f"order_{id_}", "created_at": AN_HOUR_AGO,
            "amount": total if amount is None else Decimal(amount),
        }  # fmt: skip
        await self.insert("payment", **{**values, **more})
        return id_

    async def mails(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Template, whom for, data; oldest first."""
        rows = await self.rows(
            "SELECT template, coalesce(recipient, address), data FROM sexton.outbox "
            "WHERE suite = 'jewellery' ORDER BY template, recipient, address, dedupe_key"
        )
        return [(template, whom, json.loads(data)) for template, whom, data in rows]

    def made(self, template: str, data: Mapping[str, Any]) -> tuple[str, str, str | None]:
        """Subject, text and HTML as the engine makes them."""
        return TEMPLATES._texts("jewellery", template, "email", {"unsubscribe_url": None, "images": {}, **data})
