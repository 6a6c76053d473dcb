"""The customers, products, orders and payments of a test, and its jobs performed as production would."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from daemon import Job
from daemon.testing import PerformedRun
from tests.workers.suite_under_test import WITH_ADMINISTRATORS, SuiteUnderTest
from workers.jewellery.settings import Settings

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
"""Noon in Asia/Kolkata."""
AN_HOUR_AGO = NOW - timedelta(hours=1)


@dataclass
class Shop(SuiteUnderTest):
    SETTINGS = Settings
    USUAL = WITH_ADMINISTRATORS

    async def perform(self, job: Job, due_at: datetime = NOW, **options: Any) -> PerformedRun:
        return await super().perform(job, due_at, **options)

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
