"""A daemon's life that ends at a named point, or at a moment of chance."""

from __future__ import annotations

import asyncio
from random import Random

import asyncpg

from tests.system import processes
from tests.system.payouts.house import JOB, PAID
from tests.system.payouts.points import MID_STATEMENT, RUNNING, KillPoint
from tests.system.payouts.stage import PayoutStage
from tests.system.waiting import row
from tests.system.wire import Talk

OFTEN_ENOUGH = 4
"""A run that was in the hands of six nodes as they died is a dead letter: that is another test's business."""
# Of somebody who is paid by the range that is about to be: who was paid by it the day before.
WALLET = f"""
    WITH running AS ({RUNNING})
    SELECT w.user_id FROM investment.wallet w WHERE w.user_id = (
        SELECT d.user_id FROM investment.roi_distribution d, running
        WHERE d.accrual_date = running.day - 1 AND d.investment_id > running.after ORDER BY d.investment_id LIMIT 1)
    FOR UPDATE
"""
BLOCKED = """
    SELECT EXISTS (SELECT FROM pg_stat_activity
                   WHERE wait_event_type = 'Lock' AND query LIKE '%due AS MATERIALIZED%')
"""


async def held_at(stage: PayoutStage, connection: asyncpg.Connection, point: KillPoint, days: int) -> Talk:
    """Let the daemon go on until it stands there, and at least so many days have been paid."""
    while True:
        talk = await stage.wire.held(seconds=600)
        if await connection.fetchval(point.reached, days):
            return talk
        talk.release()


async def killed_at(stage: PayoutStage, point: KillPoint, days: int) -> int:
    """One life, ended there once so many days have been paid. How many they were."""
    stage.wire.hold(point.moment)
    node = await stage.daemon(wait=False)
    await node.says(r"is ready$")
    async with stage.looking() as connection:
        talk = await held_at(stage, connection, point, days)
        if point is MID_STATEMENT:
            await connection.execute("BEGIN")
            assert await connection.fetch(WALLET)
            talk.release()
            async with stage.looking() as another:
                await row(another, BLOCKED)
        paid: int = await connection.fetchval(PAID)
        await node.kill()
    stage.wire.hold(None)
    stage.tell(f"killed {point.name}; {paid} days paid")
    return paid


async def killed_by_chance(stage: PayoutStage, dice: Random) -> None:
    """Killed while it starts, or a moment after it has paid some ranges; sometimes with its server."""
    node = await stage.daemon(wait=False)
    if dice.random() < 0.25:
        await asyncio.sleep(dice.uniform(0, 1))
    else:
        await node.says(r"paid for \d", count=dice.randint(1, 8))
        await not_once_too_often(stage)
        await asyncio.sleep(dice.uniform(0, 0.15))
    server = stage.place.left_behind() if not stage.is_external and dice.random() < 0.2 else []
    await node.kill()
    for pid in server:  # as if the power had gone
        processes.kill(pid)
    stage.tell("killed by chance" + (" with its server" if server else ""))


async def not_once_too_often(stage: PayoutStage) -> None:
    """Wait until the run at hand has not been rescued so often that one more death would be its last."""
    async with stage.looking() as connection:
        await row(
            connection,
            "SELECT NOT EXISTS (SELECT FROM sexton.run WHERE job = $1 AND state = 'running' AND rescues >= $2)",
            JOB, OFTEN_ENOUGH,
        )  # fmt: skip
