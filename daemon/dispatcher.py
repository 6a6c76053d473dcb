"""Ready rows → claimed runs, as slots and connections allow. Waiting rows are looked at on every pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from daemon import ledger
from daemon.database import Link
from daemon.dependencies import Outcome, Settlement, Waiting, judge
from daemon.events import Event, InstantsSettled
from daemon.job import Job
from daemon.ledger import Claimed
from daemon.roster import Roster, coalesces
from daemon.slots import Slots

MOST_AT_ONCE = 1000
FLOOR = 5.0
PROMOTE_EVERY = 1.0


@dataclass
class Dispatcher:
    """`step` starts what can start and returns how long nothing more is expected."""

    link: Link
    roster: Roster
    slots: Slots
    node: Callable[[], UUID]
    now: Callable[[], datetime]
    emit: Callable[[Event], None]
    start: Callable[[Sequence[Claimed]], None]
    claiming: Callable[[], bool]

    async def step(self) -> float:
        """One pass. Raises `DatabaseDown`."""
        if not self.claiming():
            return FLOOR
        await self._hand_out_events()
        waiting = await self._promote()
        look = await self.link.fetchrow(ledger.NEXT_READY)
        assert look is not None
        while look["due"] and self.slots.free and self.claiming():
            if not await self._claim(min(self.slots.free, MOST_AT_ONCE)):
                break
        until = (look["upcoming"] - self.now()).total_seconds() if look["upcoming"] else FLOOR
        return max(0.0, min(until, PROMOTE_EVERY if waiting else FLOOR, FLOOR))

    async def _claim(self, most: int) -> bool:
        """Claim up to so many runs; False when no more are to be had now."""
        jobs = self.roster.claimable
        async with self.link.held() as connection:
            rows = await connection.fetch(
                ledger.CLAIM.text,
                [j.name for j in jobs],
                [str(j.overlap) for j in jobs],
                [j.max_lateness for j in jobs],
                [coalesces(j) for j in jobs],
                [j.connections for j in jobs],
                most,
                self.node(),
                self.slots.free_connections,
            )
            # Still holding the link: nobody may take stock of what runs here before these count.
            self.start([ledger.claimed(row) for row in rows if row["state"] == "running"])
        for row in rows:
            if row["state"] != "running":
                self.emit(InstantsSettled(row["job"], row["state"], row["count"], row["due_at"], row["reason"] or ""))
        return len(rows) >= most

    async def _hand_out_events(self) -> None:
        handlers = self.roster.handlers
        if not handlers:
            return
        await self.link.fetch(ledger.DISPATCH_EVENTS, *ledger.handler_columns(handlers))

    async def _promote(self) -> bool:
        """Settle waiting rows whose dependencies have spoken. True while some still wait."""
        dependent = {n: j for n, j in self.roster.jobs.items() if j.requires or j.after}
        if not dependent:
            return False
        rows = await self.link.fetch(ledger.WAITING, list(dependent))
        if not rows:
            return False
        asked = [(d, r["logical_date"]) for r in rows for d in _dependencies(dependent[r["job"]])]
        answers = await self.link.fetch(ledger.DEPENDENCY_OUTCOMES, [a[0] for a in asked], [a[1] for a in asked])
        outcomes = {(a["job"], a["logical_date"]): Outcome(a["state"], a["id"]) for a in answers}
        verdicts = []
        for row in rows:
            waiting = Waiting(row["id"], dependent[row["job"]], row["due_at"], row["logical_date"], row["state"])
            verdict = judge(waiting, outcomes, now=self.now())
            if verdict is not None and (verdict.state, verdict.reason) != (row["state"], row["reason"]):
                verdicts.append(verdict)
        await self._settle(verdicts)
        return len(rows) > len(verdicts)

    async def _settle(self, verdicts: list[Settlement]) -> None:
        if not verdicts:
            return
        rows = await self.link.fetch(
            ledger.SETTLE_WAITING,
            [v.run for v in verdicts],
            [v.state for v in verdicts],
            [v.reason for v in verdicts],
        )
        for row in rows:
            if row["state"] != "ready":
                self.emit(InstantsSettled(row["job"], row["state"], 1, row["due_at"], row["reason"] or ""))


def _dependencies(job: Job) -> tuple[str, ...]:
    return (*job.requires, *job.after)
