"""The emergency stop on this node: while it is in force nothing begins, and what ran when it came is cancelled.

The statements that claim work ask for the row themselves, so a node that has not heard of it yet begins nothing either.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from daemon import sql
from daemon.database import Link
from daemon.events import Event, Note
from daemon.roster import Roster

(IN_FORCE,) = sql.load(__file__, "in_force")
FLOOR = 2.0
"""Where NOTIFY does not get through, known or not yet: with `leash.URGENT`, what runs is over within five seconds."""
FLOOR_AT_REST = 10.0
"""While nothing runs here: what would begin asks for the row itself."""


def reason_of(stopped_by: str) -> str:
    """The reason that rows get: of runs that were cancelled, and of instants that were skipped or held meanwhile."""
    return f"emergency stop by {stopped_by}"


@dataclass
class Brake:
    """Told by NOTIFY (`suspected`); looked up now and then all the same. `busy`: something runs here; `cancel_all`
    ends it, `go_on` wakes all.
    """

    link: Link
    roster: Roster
    busy: Callable[[], bool]
    cancel_all: Callable[[str], None]
    go_on: Callable[[], None]
    emit: Callable[[Event], None]
    suspected: bool = True
    _looked: float = 0.0

    async def step(self) -> float:
        """Follow the row, if there is a reason to look. Raises `DatabaseDown`."""
        rested = time.monotonic() - self._looked >= FLOOR_AT_REST
        if self.suspected or rested or self.roster.stopped is not None or self.busy():
            await self._look()
        return FLOOR

    async def _look(self) -> None:
        began, self.suspected = time.monotonic(), True
        row = await self.link.fetchrow(IN_FORCE)
        before, self.roster.stopped = self.roster.stopped, reason_of(row["stopped_by"]) if row else None
        if self.roster.stopped is not None:
            self.cancel_all(self.roster.stopped)
        if self.roster.stopped != before:
            self._tell(before)
        self.suspected, self._looked = False, began

    def _tell(self, before: str | None) -> None:
        if self.roster.stopped is not None:
            self.emit(Note("SCHEDULED", f"{self.roster.stopped}: nothing begins until it is ended", warning=True))
        else:
            self.emit(Note("SCHEDULED", f"{before} is over: work goes on", warning=True))
            self.go_on()
