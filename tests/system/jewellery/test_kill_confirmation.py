"""kill -9 at every step from a webhook to the mail: each order is confirmed once, told once, its locks gone once."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.system.jewellery.stage import IN_SETTLEMENT, SETTLED, ShopStage, Step
from tests.system.node import Node
from tests.system.waiting import row
from tests.system.wire import Moment

FENCE = "FOR NO KEY UPDATE"
KEEP = "INSERT INTO webhook_queue (event_no) SELECT event_no FROM kept"
KEPT = Step(
    "the event is kept, and the provider has not heard of it",
    Moment(KEEP, "answered"),  # a statement that is its own transaction: it is committed when it is answered
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
    Step("before the COMMIT", Moment("COMMIT", "sent", after=FENCE), IN_SETTLEMENT),
    Step("after the COMMIT, before its answer", Moment("COMMIT", "answered", after=FENCE), SETTLED),
)  # fmt: skip


async def killed_at(stage: ShopStage, connection: asyncpg.Connection, step: Step) -> None:
    """One life, from the order to its end there. Held before the event comes, so that nothing is missed."""
    payment = await stage.order(connection)
    node = await stage.daemon()
    stage.wire.hold(step.moment)
    delivery = asyncio.create_task(stage.deliver(payment))
    await stage.held_at(connection, step, payment)
    await node.kill()
    stage.wire.hold(None)
    await delivery


async def goes_on(stage: ShopStage, connection: asyncpg.Connection, confirmed: int) -> Node:
    """A daemon that finishes what the dead have left; the provider tells once more of everything."""
    node = await stage.daemon()
    for n in range(1, stage.orders + 1):
        assert await stage.deliver(f"p{n}") == 200
    await row(connection, "SELECT count(*) = $1 FROM jewellery.payment WHERE status = 'CAPTURED'", confirmed)
    return node


@pytest.mark.timeout(600)
async def test_an_order_is_confirmed_and_told_once_wherever_the_daemon_is_killed(shop_stage: ShopStage) -> None:
    stage = shop_stage
    connection = await stage.connect()
    shop = await stage.opened(connection)

    for step in STEPS[:5]:
        await killed_at(stage, connection, step)
    assert await (await goes_on(stage, connection, 5)).stop() == 0  # six rescues would make an event a dead one
    for step in STEPS[5:]:
        await killed_at(stage, connection, step)
    await killed_while_sending(stage, connection)
    last = await goes_on(stage, connection, stage.orders)
    await stage.mailed(connection)
    assert await last.stop() == 0

    await stage.balanced(shop, "webhook")
    assert (await shop.count("webhook_event"), await shop.count("webhook_queue")) == (stage.orders, 0)
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
