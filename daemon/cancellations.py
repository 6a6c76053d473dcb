"""What persons asked to be cancelled and runs here. Told by NOTIFY; looked up now and then all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from daemon import ledger
from daemon.active_run import ActiveRun
from daemon.database import Link
from daemon.outcome import Ending, Outcome

FLOOR = 2.0
"""Where NOTIFY does not get through. While nothing runs here, nothing is asked."""


@dataclass
class Cancellations:
    link: Link
    node: Callable[[], UUID]
    active: Mapping[int, ActiveRun]

    async def step(self) -> float:
        """Interrupt what is asked to be. Raises `DatabaseDown`."""
        if self.active:
            for row in await self.link.fetch(ledger.CANCEL_REQUESTS, self.node()):
                if run := self.active.get(row["run"]):
                    run.interrupt(Outcome(Ending.CANCELLED, reason=f"cancelled by {row['requested_by']}"))
        return FLOOR
