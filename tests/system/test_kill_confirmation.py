"""kill -9 at every step from a webhook to the mail: each order is confirmed once, told once, its locks gone once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from daemon import migrate
from tests.daemon.mail import MailServer, mail_server
from tests.system.conftest import FAILED
from tests.system.daemons import Daemons, environment_of
from tests.system.node import Node, free_port
from tests.system.payouts.posting import mail_settings
from tests.system.place import External, external_bindir
from tests.system.waiting import row
from tests.system.wire import SOCKET, Moment, Wire
from tests.workers.jewellery.provider import entity, event, signature
from tests.workers.jewellery.shop import Shop

SECRET = "webhook secret"
STOCK = 100
IN_SETTLEMENT = """
    SELECT EXISTS (SELECT FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
        WHERE l.relation = 'jewellery.payment_transition'::regclass AND a.state = 'idle in transaction')
"""
SETTLED = "SELECT status = 'CAPTURED' FROM jewellery.payment WHERE id = $1"
FENCE = "FOR NO KEY UPDATE"


@dataclass(frozen=True, slots=True)
class Step:
    """Where the world stops, and what is true in the database there and nowhere else; `$1` is the payment."""

    name: str
    moment: Moment
    reached: str = "SELECT $1::text IS NOT NULL"


KEEP = "INSERT INTO webhook_queue (event_no) SELECT event_no FROM kept"
KEPT = Step(
    "the event is kept, and the provider has not heard of it",
    Moment("COMMIT", "answered", after=KEEP),
    "SELECT EXISTS (SELECT FROM jewellery.webhook_event WHERE event_id = 'evt_' || $1)",
)
STEPS = (
    KEPT,
    Step("the event is claimed", Moment('UPDATE "jewellery"."webhook_queue" q\nSET state = \'RUNNING\'', "answered"),
         "SELECT $1::text IS NOT NULL AND EXISTS (SELECT FROM jewellery.webhook_queue WHERE state = 'RUNNING')"),
    Step("payment, order and locks are locked", Moment("FROM inventory_lock WHERE order_id", "answered")),
    Step("the payment is captured", Moment("UPDATE payment p SET status", "answered")),
    Step("the customer is told, the order not confirmed", Moment("UPDATE orders SET status = 'CONFIRMED'", "sent")),
    Step("the pieces are sold, the locks there", Moment("DELETE FROM inventory_lock", "sent")),
    Step("the event is ticked off", Moment("UPDATE webhook_event SET processed_at", "answered")),
    Step("before the COMMIT", Moment("COMMIT", "sent", after=FENCE), f"{IN_SETTLEMENT} AND $1::text IS NOT NULL"),
    Step("after the COMMIT, before its answer", Moment("COMMIT", "answered", after=FENCE), SETTLED),
)  # fmt: skip


class ShopStage(Daemons):
    def __init__(self, place: External, folder: Path, wire: Wire, mails: MailServer) -> None:
        super().__init__(place, folder)
        self.wire, self.mails, self.public, self.orders = wire, mails, free_port(), 0

    def environment(self, **settings: str) -> dict[str, str]:
        ours = {
            "SEXTON_SUITES": "workers.jewellery", "SEXTON_DATABASE__URL": self.wire.url, "SEXTON_NODE__LEASE": "10s",
            "SEXTON_PUBLIC__LISTEN": f"127.0.0.1:{self.public}", "SEXTON_PUBLIC__BASE_URL": "https://shop.example.org",
            "SEXTON_OUTBOX__UNSUBSCRIBE_SECRET": "x" * 40,
            "SEXTON_SUITE__JEWELLERY__RAZORPAY__WEBHOOK_SECRETS": SECRET, **mail_settings(self.mails),
        }  # fmt: skip
        return environment_of(self.place, self.folder, self.mark, **{**ours, **settings})

    async def order(self, connection: asyncpg.Connection) -> str:
        """A new order of one piece, reserved and asked to be paid."""
        self.orders += 1
        n, shop = self.orders, Shop(self.place.url, connection)
        later = await connection.fetchval("SELECT sexton.clock() + interval '1 day'")
        async with connection.transaction():
            await shop.order(f"o{n}", locked_until=later)
            return await shop.payment(f"p{n}", order=f"o{n}", created_at=later)

    async def deliver(self, payment: str) -> int | None:
        """As the provider does it; None when nobody answered."""
        body = event("payment.captured", entity(f"pay_{payment}", f"order_{payment}"))
        headers = {"x-razorpay-signature": signature(SECRET, body), "x-razorpay-event-id": f"evt_{payment}"}
        with suppress(httpx.HTTPError):
            async with httpx.AsyncClient(timeout=120) as client:
                url = f"http://127.0.0.1:{self.public}/hooks/jewellery/razorpay"
                return (await client.post(url, content=body, headers=headers)).status_code
        return None

    async def killed_at(self, connection: asyncpg.Connection, step: Step) -> None:
        """One life, from the order to its end there. Held before the event comes, so that nothing is missed."""
        payment = await self.order(connection)
        node = await self.daemon()
        self.wire.hold(step.moment)
        delivery = asyncio.create_task(self.deliver(payment))
        while True:
            talk = await self.wire.held()
            if await connection.fetchval(step.reached, payment):
                break
            talk.release()
        await node.kill()
        self.wire.hold(None)
        await delivery

    async def goes_on(self, connection: asyncpg.Connection, confirmed: int) -> Node:
        """A daemon that finishes what the dead have left; the provider tells once more of everything."""
        node = await self.daemon()
        for n in range(1, self.orders + 1):
            assert await self.deliver(f"p{n}") == 200
        await row(connection, "SELECT count(*) = $1 FROM jewellery.payment WHERE status = 'CAPTURED'", confirmed)
        return node


@pytest.fixture
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[ShopStage]:
    with tempfile.TemporaryDirectory(prefix="sexton-") as name:
        folder = Path(name)
        place = External(folder / "state", external_bindir())
        await place.start()
        target = Path(place.known_as.partition("host=")[2].partition("&")[0]) / SOCKET
        async with mail_server() as mails, Wire(target) as wire:
            own = ShopStage(place, folder, wire, mails)
            try:
                yield own
                if not request.node.stash.get(FAILED, True):
                    left = await own.left_behind()
                    assert not left, "left behind:\n" + "\n".join(left)
            finally:
                await own.clear()


@pytest.mark.timeout(600)
@pytest.mark.on("external")
async def test_an_order_is_confirmed_and_told_once_wherever_the_daemon_is_killed(stage: ShopStage) -> None:
    connection = await stage.connect()
    suites = migrate.suite_migrations({"jewellery": "workers.jewellery"})
    await migrate.migrate(connection, [*migrate.engine_migrations(), *suites])
    shop = Shop(stage.place.url, connection)
    await shop.customer()
    await shop.product(stock=STOCK)

    for step in STEPS[:5]:
        await stage.killed_at(connection, step)
    assert await (await stage.goes_on(connection, 5)).stop() == 0  # six rescues would make an event a dead one
    for step in STEPS[5:]:
        await stage.killed_at(connection, step)
    await killed_while_sending(stage, connection)
    last = await stage.goes_on(connection, stage.orders)
    await row(connection, "SELECT NOT EXISTS (SELECT FROM sexton.outbox WHERE state <> 'sent')")
    assert await last.stop() == 0

    await balanced(stage, shop)
    await connection.close()


async def killed_while_sending(stage: ShopStage, connection: asyncpg.Connection) -> None:
    """The mail server has a confirmation and has not answered when the daemon dies: it comes again, recognisably."""
    payment = await stage.order(connection)
    node = await stage.daemon()
    await row(connection, "SELECT NOT EXISTS (SELECT FROM jewellery.order_status_queue)")
    stage.mails.hold = asyncio.Event()
    before = len(stage.mails.received)
    assert await stage.deliver(payment) == 200
    await row(connection, SETTLED, payment)
    await stage.mails.has(before + 1)
    await node.kill()
    stage.mails.release()
    stage.mails.hold = None


async def balanced(stage: ShopStage, shop: Shop) -> None:
    n = stage.orders
    history = (
        "SELECT status, count(*), count(DISTINCT order_id) FROM jewellery.order_status_history GROUP BY 1 ORDER BY 1"
    )
    assert await shop.rows(history) == [("CONFIRMED", n, n), ("PLACED", n, n)]
    assert await shop.rows("SELECT type, count(*) FROM jewellery.notification GROUP BY 1 ORDER BY 1") == [
        ("ORDER_CONFIRMED", n), ("ORDER_PLACED", n),
    ]  # fmt: skip
    assert await shop.rows(
        "SELECT old_status, new_status, count(*) FROM jewellery.payment_transition GROUP BY 1, 2"
    ) == [("PENDING", "CAPTURED", n)]
    assert await shop.rows("SELECT stock FROM jewellery.product") == [(STOCK - n,)]
    assert await shop.count("inventory_lock") == 0
    assert (await shop.count("webhook_event"), await shop.count("webhook_queue")) == (n, 0)
    confirmations = [mail for mail in stage.mails.received if mail["Subject"].startswith("Order Confirmation - ")]
    assert len({mail["Subject"] for mail in confirmations}) == len({mail["Message-ID"] for mail in confirmations}) == n
