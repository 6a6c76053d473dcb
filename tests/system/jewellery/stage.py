"""A shop on a database of its own: its daemons, the provider they ask, their mails, and a wire to stop the world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

from daemon import Cron, catalogue, migrate
from daemon.settings import Settings
from tests.daemon.mail import MailServer, mail_server
from tests.ports import free_port
from tests.system.daemons import WITHOUT_PAGES, Daemons, environment_of
from tests.system.payouts.posting import mail_settings
from tests.system.place import External, external_bindir
from tests.system.waiting import row
from tests.system.wire import SOCKET, Moment, Wire
from tests.workers.jewellery.provider import Provider, entity, event, provider, signature
from tests.workers.jewellery.shop import Shop

SUITE = "workers.jewellery"
SECRET = "webhook secret"
STOCK = 100
SETTLED = "SELECT status = 'CAPTURED' FROM jewellery.payment WHERE id = $1"
IN_SETTLEMENT = """
    SELECT EXISTS (SELECT FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
        WHERE l.relation = 'jewellery.payment_transition'::regclass AND a.state = 'idle in transaction')
        AND $1::text IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Step:
    """Where the world stops, and what is true in the database there and nowhere else; `$1` is the payment."""

    name: str
    moment: Moment
    reached: str = "SELECT $1::text IS NOT NULL"


def due_by_the_clock() -> list[str]:
    """The jobs that are; while the tests run they are only asked for."""
    jobs = catalogue.load(Settings(suites=(SUITE,))).jobs.values()
    return [job.name for job in jobs if isinstance(job.trigger, Cron)]


class ShopStage(Daemons):
    def __init__(self, place: External, folder: Path, wire: Wire, mails: MailServer, razorpay: Provider) -> None:
        super().__init__(place, folder)
        self.wire, self.mails, self.razorpay, self.public, self.orders = wire, mails, razorpay, free_port(), 0

    def environment(self, **settings: str) -> dict[str, str]:
        asked = self.razorpay.settings(webhook_secrets=SECRET)
        ours = {
            "SEXTON_SUITES": SUITE, "SEXTON_DATABASE__URL": self.wire.url, "SEXTON_NODE__LEASE": "10s",
            "SEXTON_PUBLIC__LISTEN": f"127.0.0.1:{self.public}", "SEXTON_PUBLIC__BASE_URL": "https://shop.example.org",
            "SEXTON_OUTBOX__UNSUBSCRIBE_SECRET": "x" * 40, **mail_settings(self.mails),
            **{f"SEXTON_SUITE__JEWELLERY__RAZORPAY__{name.upper()}": str(value) for name, value in asked.items()},
            **{f"SEXTON_JOBS__{name.replace('.', '__').upper()}__SCHEDULE": "ondemand" for name in due_by_the_clock()},
        }  # fmt: skip
        return environment_of(self.place, self.folder, self.mark, **{**WITHOUT_PAGES, **ours, **settings})

    async def opened(self, connection: asyncpg.Connection) -> Shop:
        """Migrated, with one customer, and one product."""
        suites = migrate.suite_migrations({"jewellery": SUITE})
        await migrate.migrate(connection, [*migrate.engine_migrations(), *suites])
        shop = Shop(self.place.url, connection)
        await shop.customer()
        await shop.product(stock=STOCK)
        return shop

    async def order(self, connection: asyncpg.Connection, *, waits: str = "-1 day") -> str:
        """A new order of one piece, reserved, and asked to be paid so long ago: by default too lately to be asked
        about."""
        self.orders += 1
        n, shop = self.orders, Shop(self.place.url, connection)
        now = await connection.fetchrow(
            "SELECT sexton.clock() + interval '1 day' AS later, sexton.clock() - $1::text::interval AS since", waits
        )
        async with connection.transaction():
            await shop.order(f"o{n}", locked_until=now["later"])
            return str(await shop.payment(f"p{n}", order=f"o{n}", created_at=now["since"]))

    async def deliver(self, payment: str) -> int | None:
        """As the provider does it; None when nobody answered."""
        body = event("payment.captured", entity(f"pay_{payment}", f"order_{payment}"))
        headers = {"x-razorpay-signature": signature(SECRET, body), "x-razorpay-event-id": f"evt_{payment}"}
        with suppress(httpx.HTTPError):
            async with httpx.AsyncClient(timeout=120) as client:
                url = f"http://127.0.0.1:{self.public}/hooks/jewellery/razorpay"
                return (await client.post(url, content=body, headers=headers)).status_code
        return None

    async def held_at(self, connection: asyncpg.Connection, step: Step, payment: str) -> None:
        """Wait until the world stands still there."""
        while True:
            talk = await self.wire.held()
            if await connection.fetchval(step.reached, payment):
                return
            talk.release()

    async def mailed(self, connection: asyncpg.Connection) -> None:
        """Everybody has been told, and the mail server has it."""
        await row(connection, "SELECT NOT EXISTS (SELECT FROM jewellery.order_status_queue)")
        await row(connection, "SELECT NOT EXISTS (SELECT FROM sexton.outbox WHERE state <> 'sent')")

    async def balanced(self, shop: Shop, source: str) -> None:
        """Each order was confirmed once, by `source`, told once, and its pieces sold once."""
        n = self.orders
        assert await shop.rows(
            "SELECT status, source, count(*), count(DISTINCT order_id) FROM jewellery.order_status_history "
            "GROUP BY 1, 2 ORDER BY 1"
        ) == [("CONFIRMED", source, n, n), ("PLACED", "shop", n, n)]
        assert await shop.rows("SELECT type, count(*) FROM jewellery.notification GROUP BY 1 ORDER BY 1") == [
            ("ORDER_CONFIRMED", n), ("ORDER_PLACED", n),
        ]  # fmt: skip
        assert await shop.rows(
            "SELECT old_status, new_status, source, count(*) FROM jewellery.payment_transition GROUP BY 1, 2, 3"
        ) == [("PENDING", "CAPTURED", source, n)]
        assert await shop.rows("SELECT stock FROM jewellery.product") == [(STOCK - n,)]
        assert await shop.count("inventory_lock") == 0
        confirmations = [mail for mail in self.mails.received if mail["Subject"].startswith("Order Confirmation - ")]
        assert len({mail["Subject"] for mail in confirmations}) == len({m["Message-ID"] for m in confirmations}) == n


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[ShopStage]:
    """A server of PostgreSQL, one of mail and a provider, for a stage that ends what is left of its daemons."""
    place = External(folder / "state", external_bindir())
    await place.start()
    target = Path(place.known_as.partition("host=")[2].partition("&")[0]) / SOCKET
    async with mail_server() as mails, provider() as razorpay, Wire(target) as wire:
        own = ShopStage(place, folder, wire, mails, razorpay)
        try:
            yield own
        finally:
            await own.clear()
