"""A house on a place of its own, with a wire between its daemon and its database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from tests.system.daemons import WITHOUT_PAGES, Daemons, environment_of
from tests.system.payouts.account import RESCUES, Account, account
from tests.system.payouts.books import books
from tests.system.payouts.house import JOB, PAID, House, tell, until_paid
from tests.system.place import External, Place, copied
from tests.system.waiting import row, until
from tests.system.wire import SOCKET, Wire
from tests.system.wrapped import BEHIND, behind_a_wire

WHOLE_DAY = 600.0
"""Seconds for a day of payouts on a busy machine, at any size, or for the recovery of a server that was killed."""
UNHURRIED = "10s"
"""A lease that does not run out while the world stands still and a test looks about."""
SETTLED = f"SELECT NOT EXISTS (SELECT FROM sexton.run WHERE job = '{JOB}' AND state <> 'succeeded')"


class PayoutStage(Daemons):
    patience = WHOLE_DAY

    def __init__(self, place: Place, folder: Path, house: House, wire: Wire) -> None:
        super().__init__(place, folder)
        self.house, self.wire = house, wire

    def environment(self, **settings: str) -> dict[str, str]:
        ours = {**WITHOUT_PAGES, **self.house.environment(), "SEXTON_NODE__LEASE": UNHURRIED}
        if self.is_external:
            ours["SEXTON_DATABASE__URL"] = self.wire.url
        return environment_of(self.place, self.folder, self.mark, **{**ours, **settings})

    def tell(self, what: str) -> None:
        tell(f"{self.place.kind}: {what}")

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to the server that runs, past the wire, as soon as there is one."""
        opened = await until(self._opened, "the database", self.patience)
        try:
            yield opened
        finally:
            opened.terminate()

    async def _opened(self) -> asyncpg.Connection | None:
        try:
            return await self.connect()
        except (OSError, AssertionError, asyncpg.PostgresError):
            return None

    async def paid(self, days: int, seconds: float = 3600) -> None:
        """Wait until so many days have been paid."""
        async with self.looking() as connection:
            await row(connection, f"SELECT ({PAID}) >= $1", days, seconds=seconds)

    async def days_paid(self) -> int:
        async with self.looking() as connection:
            return int(await connection.fetchval(PAID))

    async def settled(self) -> None:
        """Every day that is owed has been paid, and its run has ended."""
        async with self.looking() as connection:
            await until_paid(connection, self.tell)
            await row(connection, SETTLED)

    async def audited(self) -> None:
        """The suite's own audit has looked at all these days. Autovacuum has not yet looked at so many new rows."""
        first, last = self.house.days
        async with self.looking() as connection:
            await connection.execute("ANALYZE")
            (run,) = await self.request("investment.ledger_audit", {"from": str(first), "until": str(last)})
            await row(connection, "SELECT state = 'succeeded' FROM sexton.run WHERE id = $1", run, seconds=3600)
        self.tell("audited")

    async def rescued(self, times: int) -> None:
        """So often a run was taken from the dead, no more and no less. Called when no daemon runs."""
        async with self.place.connection() as connection:
            assert await connection.fetchval(RESCUES) == times

    async def balance(self) -> Account:
        """Called when no daemon runs."""
        assert not [node.pid for node in self.nodes if node.alive], "stop the daemons first"
        self.tell("adding up")
        async with self.place.connection() as connection:
            found = await account(connection, self.house, await books(connection))
        self.tell(f"balanced: {found}")
        return found


@asynccontextmanager
async def staged(house: House, kind: str, folder: Path) -> AsyncIterator[PayoutStage]:
    """The place is running, if it is an external one; whatever happens, nothing of it is left afterwards."""
    state = copied(house.folder, folder / "state")
    external = External(state, house.bindir) if kind == "external" else None
    if external is not None:
        await external.start()
        target = Path(external.known_as.partition("host=")[2].partition("&")[0]) / SOCKET
    else:
        target = Place(state).layout.home / "run" / BEHIND / SOCKET
    async with Wire(target) as wire:
        place = external or Place(state, behind_a_wire(folder, None, wire.socket))
        stage = PayoutStage(place, folder, house, wire)
        try:
            yield stage
        finally:
            await stage.clear()
