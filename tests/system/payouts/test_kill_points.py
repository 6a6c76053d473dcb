"""kill -9 at every named point of a payout: thirty days are paid through all of it, each exactly once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from random import Random, SystemRandom
from typing import Any

import pytest

from tests.system.payouts.lives import killed_at, killed_by_chance, lost_its_database
from tests.system.payouts.points import POINTS
from tests.system.payouts.posting import posted
from tests.system.payouts.stage import PayoutStage


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("chances", "mail_kills"), [(3, 2), pytest.param(40, 10, marks=pytest.mark.soak)])
async def test_a_daemon_killed_at_each_named_point_and_by_chance_pays_every_day_once(
    stage: PayoutStage, chances: int, mail_kills: int, counted: Callable[..., Any]
) -> None:
    seed = SystemRandom().randrange(1 << 32)
    stage.tell(f"seed {seed}")
    dice = Random(seed)
    for day, point in enumerate(POINTS):
        await killed_at(stage, point, day)
    await lost_its_database(stage, len(POINTS), orderly=False)
    if stage.is_external:
        await lost_its_database(stage, len(POINTS) + 1, orderly=True)
    await stage.rescued(sum(point.rescued for point in POINTS))
    for nth in range(chances):
        await killed_by_chance(stage, dice, nth)
    last = await stage.daemon()
    await stage.settled()
    await stage.audited()
    assert await last.stop() == 0
    mails = await posted(stage, stage.house.investments // 16, mail_kills, dice)
    found = await stage.balance()
    counted(kills=len(POINTS) + chances + mail_kills, **asdict(found), **mails)
