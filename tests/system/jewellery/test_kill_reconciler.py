"""kill -9 amid a pass of the reconciler: what it had heard and not written is asked once more, and settled once."""

from __future__ import annotations

import asyncpg
import pytest

from tests.system.jewellery.stage import IN_SETTLEMENT, SETTLED, ShopStage, Step
from tests.system.waiting import row, until
from tests.system.wire import Moment

FENCE = "UPDATE sexton.run SET cursor"
JOB = "jewellery.webhook_timeout_handler"
STEPS = (
    Step("payment, order and locks are locked", Moment("FROM inventory_lock WHERE order_id", "answered")),
    Step("before the COMMIT", Moment("COMMIT", "sent", after=FENCE), IN_SETTLEMENT),
    Step("after the COMMIT, before its answer", Moment("COMMIT", "answered", after=FENCE), SETTLED),
)


async def stale(stage: ShopStage, connection: asyncpg.Connection) -> str:
    """A payment that the provider has, and has told nobody of."""
    payment = await stage.order(connection, waits="1 hour")
    stage.razorpay.tells(f"pay_{payment}", f"order_{payment}")
    return payment


async def killed_at(stage: ShopStage, connection: asyncpg.Connection, step: Step) -> None:
    """One life, ended there. Held before it begins: the pass of the life before goes on by itself."""
    payment = await stale(stage, connection)
    stage.wire.hold(step.moment)
    node = await stage.daemon()
    await stage.request(JOB, {})
    await stage.held_at(connection, step, payment)
    await node.kill()
    stage.wire.hold(None)


async def killed_while_asking(stage: ShopStage, connection: asyncpg.Connection) -> None:
    payment = await stale(stage, connection)
    asked = f"GET orders/order_{payment}/payments"
    stage.razorpay.trouble["*"] = "hang"
    node = await stage.daemon()
    await stage.request(JOB, {})

    async def is_asked() -> bool:
        return asked in stage.razorpay.asked

    await until(is_asked, asked)
    await node.kill()
    stage.razorpay.trouble.clear()


@pytest.mark.timeout(600)
async def test_a_pass_that_is_killed_leaves_nothing_half_done_and_nothing_twice(shop_stage: ShopStage) -> None:
    stage = shop_stage
    connection = await stage.connect()
    shop = await stage.opened(connection)

    await killed_while_asking(stage, connection)
    for step in STEPS:
        await killed_at(stage, connection, step)
    last = await stage.daemon()
    await stage.request(JOB, {})
    await row(connection, "SELECT count(*) = $1 FROM jewellery.payment WHERE status = 'CAPTURED'", stage.orders)
    await stage.mailed(connection)
    unsettled = "SELECT NOT EXISTS (SELECT FROM sexton.run WHERE job = $1 AND state IN ('ready', 'running'))"
    await row(connection, unsettled, JOB)
    assert await last.stop() == 0

    await stage.balanced(shop, "reconciler")
    states = {state for (state,) in await shop.rows("SELECT state FROM sexton.run WHERE job = $1", JOB)}
    assert states <= {"succeeded", "skipped"}  # of two passes that wait, the newer one stands for both
    await connection.close()
