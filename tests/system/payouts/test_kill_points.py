"""kill -9 at every named point of a payout: thirty days are paid through all of it, each exactly once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from tests.system.payouts.lives import killed_at
from tests.system.payouts.points import POINTS
from tests.system.payouts.stage import PayoutStage


@pytest.mark.timeout(600)
async def test_a_daemon_killed_at_each_named_point_pays_every_day_once(
    stage: PayoutStage, counted: Callable[..., Any]
) -> None:
    for nth, point in enumerate(POINTS):
        await killed_at(stage, point, 2 * nth)
    last = await stage.daemon()
    await stage.settled()
    await stage.audited()
    assert await last.stop() == 0
    found = await stage.balance(rescues=sum(point.rescued for point in POINTS))
    counted(kills=len(POINTS), **asdict(found))
