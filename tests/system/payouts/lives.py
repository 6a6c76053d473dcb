"""A daemon's life that ends at a named point, or at a moment of chance; or whose database is taken from it."""

from __future__ import annotations

import asyncio
from random import Random

import asyncpg

from tests.system import processes
from tests.system.payouts.house import DAYS, JOB, PAID
from tests.system.payouts.points import MID_STATEMENT, RUNNING, KillPoint
from tests.system.payouts.stage import WHOLE_DAY, PayoutStage
from tests.system.place import External
from tests.system.waiting import row
from tests.system.wire import Talk

OFTEN_ENOUGH = 3
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
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%due AS MATERIALIZED%')
"""
RANGE_PAID = r"investments up to \d+ paid for"
IN_NO_DANGER = f"""
    SELECT ({PAID}) = {DAYS} OR EXISTS (
        SELECT FROM sexton.run WHERE job = '{JOB}' AND state = 'running' AND rescues < {OFTEN_ENOUGH})
"""


async def held_at(stage: PayoutStage, connection: asyncpg.Connection, point: KillPoint, days: int) -> Talk:
    """Let the daemon go on until it stands there, and at least so many days have been paid."""
    while True:
        talk = await stage.wire.held(WHOLE_DAY)
        if await connection.fetchval(point.reached, days):
            break
        talk.release()
    if point is MID_STATEMENT:
        await block(stage, connection, talk)
    return talk


async def block(stage: PayoutStage, connection: asyncpg.Connection, talk: Talk) -> None:
    """Let the server begin to pay the range, which comes to a wallet that `connection` has locked."""
    await connection.execute("BEGIN")
    assert await connection.fetch(WALLET)
    talk.release()
    async with stage.looking() as another:
        await row(another, BLOCKED)


async def killed_at(stage: PayoutStage, point: KillPoint, days: int) -> None:
    """One life, ended there once so many days have been paid."""
    stage.wire.hold(point.moment)
    node = await stage.daemon()
    async with stage.looking() as connection:
        await held_at(stage, connection, point, days)
        await node.kill()
    stage.wire.hold(None)
    stage.tell(f"killed {point.name}; {days} days were paid")


async def killed_by_chance(stage: PayoutStage, dice: Random, nth: int) -> None:
    """Killed while it starts, or a moment after it has paid some ranges; sometimes with its server."""
    node = await stage.daemon(wait=False)
    if nth % 4 == 0:
        await asyncio.sleep(dice.uniform(0, 1))
    else:
        await node.ready(stage.patience)
        async with stage.looking() as connection:
            await row(connection, IN_NO_DANGER, seconds=WHOLE_DAY)
            more_to_come = await connection.fetchval(PAID) < DAYS - 1
        if more_to_come:
            await node.says(RANGE_PAID, count=len(node.said(RANGE_PAID)) + dice.randint(1, 3), seconds=WHOLE_DAY)
        await asyncio.sleep(dice.uniform(0, 0.15))
    server = stage.place.left_behind() if not stage.is_external and dice.random() < 0.2 else []
    await node.kill()
    for pid in server:  # as if the power had gone
        processes.kill(pid)
    stage.tell("killed by chance" + (" with its server" if server else ""))


async def lost_its_database(stage: PayoutStage, days: int, *, orderly: bool) -> None:
    """One life whose server is killed, or restarted, while it pays a range; it goes on by itself and is stopped."""
    stage.wire.hold(MID_STATEMENT.moment)
    node = await stage.daemon()
    async with stage.looking() as connection:
        await held_at(stage, connection, MID_STATEMENT, days)
        stage.wire.hold(None)
        if orderly:
            await stage.place.stop()
        else:
            processes.kill(stage.place.postmaster)
        await node.says(r"\[DATABASE\] lost")
    if orderly:
        await stage.place.start()
    elif isinstance(stage.place, External):
        await stage.place.crashed()
        await stage.place.restart()
    await stage.paid(days + 1)
    assert await node.stop() == 0
    stage.tell(f"database {'restarted' if orderly else 'killed'} while a range was paid; {days} days were paid")
