"""One test's own: its place, its daemons, its mark; at the end everything balances and nothing is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.system.account import Account, account
from tests.system.daemons import Daemons, environment_of
from tests.system.node import SUITES
from tests.system.place import Place
from tests.system.waiting import row

if TYPE_CHECKING:
    from tests.system.template import Template

SETTLED = """
    SELECT NOT EXISTS (SELECT FROM flights.flight_processing_queue WHERE state <> 'DEAD')
       AND NOT EXISTS (SELECT FROM trial.item WHERE state <> 'DEAD')
       AND NOT EXISTS (SELECT FROM sexton.run WHERE state IN ('ready', 'running') AND trigger <> 'poll'
                       AND due_at < clock_timestamp() - interval '1 second' AND due_at > now() - interval '1 hour')
"""
WITHHOLD = """
    CREATE TABLE withheld AS SELECT flight_id FROM flights.flight_processing_queue;
    DELETE FROM flights.flight_processing_queue
"""
GIVE = """
    WITH given AS (
        DELETE FROM withheld WHERE flight_id IN (SELECT flight_id FROM withheld ORDER BY flight_id LIMIT $1)
        RETURNING flight_id
    )
    INSERT INTO flights.flight_processing_queue (flight_id) SELECT flight_id FROM given
"""


def flights_environment(place: Place, folder: Path, mark: str, **settings: str) -> dict[str, str]:
    """The suite `flights`, and one for the tests alone."""
    ours = {
        "SEXTON_SUITES": "workers.flights,trial",
        "SEXTON_QUEUES__RETRY_DELAY": "100ms",
        "SEXTON_SUITE__FLIGHTS__BENCHMARK_FILE": str(folder / "results.json"),
        "PYTHONPATH": str(SUITES),
    }
    return environment_of(place, folder, mark, **{**ours, **settings})


class Stage(Daemons):
    def __init__(self, place: Place, folder: Path, template: Template, *, quiet: bool = False) -> None:
        super().__init__(place, folder)
        self.template, self.quiet = template, quiet

    def environment(self, **settings: str) -> dict[str, str]:
        return flights_environment(self.place, self.folder, self.mark, **settings)

    async def ask_for(self, job: str, seconds: float, count: int = 1, **more: object) -> list[int]:
        """Runs by hand that take so long."""
        return await self.request(job, {"seconds": seconds, **more}, count)

    async def withhold(self) -> None:
        """Before the first daemon: take the flights out of the queue, to `give` them a few at a time."""
        async with self.place.connection() as connection:
            await connection.execute(WITHHOLD)

    async def give(self, flights: int | None = None) -> None:
        """So many of the flights that were withheld; at least three, or all of them."""
        connection = await self.connect()
        try:
            await connection.execute(GIVE, None if flights is None else max(flights, 3))
        finally:
            await connection.close()

    async def settled(self, seconds: float = 60) -> None:
        """Everything in the queues is done and every instant that was due a second ago has run."""
        connection = await self.connect()
        try:
            await row(connection, SETTLED, seconds=seconds)
        finally:
            await connection.close()

    async def balance(self, *, ingested: bool = True, dead: int = 0) -> Account:
        """Called when the daemons have ended."""
        assert not [node.pid for node in self.nodes if node.alive], "stop the daemons first"
        async with self.place.connection() as connection:
            expected = self.template.expected if ingested and not self.quiet else None
            return await account(connection, expected, dead=dead)
