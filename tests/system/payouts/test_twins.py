"""Two daemons beside each other pay thirty days, and each is the other's heir: killed, or frozen beyond its lease."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from tests.system.node import Node
from tests.system.payouts.lives import held_at
from tests.system.payouts.points import (
    AFTER_CLAIM,
    AFTER_COMMIT,
    AFTER_LAST_COMMIT,
    BEFORE_COMMIT,
    BEFORE_LAST_COMMIT,
    MID_STATEMENT,
    KillPoint,
)
from tests.system.payouts.posting import posted_by_twins
from tests.system.payouts.stage import PayoutStage

pytestmark = pytest.mark.on("external")

FROZEN_AT = (BEFORE_COMMIT, AFTER_COMMIT, BEFORE_LAST_COMMIT, AFTER_LAST_COMMIT)
LEASE = {"SEXTON_NODE__LEASE": "3s"}
TAKEN_OVER = r"this node's lease is lost: another node took over"
SUCCEEDED = r"daily_roi_distribution succeeded$"
FENCED = r"daily_roi_distribution fenced$"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rounds", [1, pytest.param(2, marks=pytest.mark.soak)])
async def test_a_daemon_killed_or_frozen_beside_its_twin_pays_every_day_once(
    stage: PayoutStage, rounds: int, counted: Callable[..., Any]
) -> None:
    """Whoever was frozen in mid-run finds its work done by the other, and what it still says counts for nothing."""
    await killed_beside_its_twin(stage)
    a = await stage.daemon(name="a", **LEASE)
    for point in FROZEN_AT * rounds:
        await frozen_at(stage, a, point)
    fenced = len(a.said(FENCED))
    b = await stage.daemon(name="b", **LEASE)
    await stage.settled()
    await stage.audited()
    assert (await a.stop(), await b.stop()) == (0, 0)
    mails = await posted_by_twins(stage, stage.house.investments // 16, **LEASE)
    found = await stage.balance()
    counted(kills=1, freezes=rounds * len(FROZEN_AT) + 1, fenced=fenced, **asdict(found), **mails)


async def killed_beside_its_twin(stage: PayoutStage) -> None:
    stage.wire.hold(MID_STATEMENT.moment)
    a = await stage.daemon(name="a", **LEASE)
    async with stage.looking() as connection:
        await held_at(stage, connection, MID_STATEMENT, 1)
        b = await stage.daemon(name="b", **LEASE)
        await a.kill()
    stage.wire.hold(None)
    await b.says(r"rescued from a$")
    await stage.paid(await stage.days_paid() + 1)
    assert await b.stop() == 0
    stage.tell("killed mid-statement beside its twin")


async def frozen_at(stage: PayoutStage, a: Node, point: KillPoint) -> None:
    """The world stands still for `a` until its lease is over, and the other has paid that day and claimed the next;
    then it hears the rest."""
    days = await stage.days_paid()
    stage.wire.hold(point.moment)
    async with stage.looking() as connection:
        late = await held_at(stage, connection, point, days)
        a.signal(signal.SIGSTOP)
        stage.wire.hold(AFTER_CLAIM.moment)
        b = await stage.daemon(name="b", **LEASE)
        claimed = await held_at(stage, connection, AFTER_CLAIM, days + 1)
    stage.wire.hold(None)
    await b.says(r"rescued from a$")
    ends = FENCED if point.rescued else SUCCEEDED
    taken_over, ended = len(a.said(TAKEN_OVER)), len(a.said(ends))
    late.release()
    a.signal(signal.SIGCONT)
    await a.says(TAKEN_OVER, count=taken_over + 1)
    await a.says(ends, count=ended + 1)
    claimed.release()
    assert await b.stop() == 0
    stage.tell(f"frozen {point.name}, and its work taken over by the twin")
