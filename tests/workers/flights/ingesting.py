"""The ingestion poll on a real engine with real worker processes, and flights that are hard to rate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from daemon.events import RunEnded
from tests.daemon.harness import Node, node
from workers.flights.flight_ingestion import QUEUE, flight_ingestion
from workers.flights.settings import Settings

WORKER_URL = "SEXTON_WORKER_DATABASE_URL"
SETTINGS = Settings(benchmark_file=None)
BILLS = """
SELECT f.external_ref, f.callsign, r.currency, r.outcome, r.subtotal, r.enroute_total, r.terminal_total,
    encode(r.digest, 'hex') AS digest
FROM flights.flight_invoice r JOIN flights.flight f ON f.id = r.flight_id
WHERE r.superseded_by IS NULL ORDER BY f.id, r.currency
"""
QUEUED = "SELECT count(*) FROM flights.flight_processing_queue WHERE state <> 'DEAD'"
ENQUEUE_ALL = "INSERT INTO flights.flight_processing_queue (flight_id) SELECT id FROM flights.flight"
COPY_FLIGHT = """
WITH good AS (SELECT * FROM flights.flight WHERE external_ref LIKE 'switzerland:%' ORDER BY id LIMIT 1), new AS (
    INSERT INTO flights.flight (customer_id, reg, icao24, callsign, off_block_at, arrived_at, service_on, external_ref)
    SELECT customer_id, reg, icao24, $1, off_block_at, arrived_at, service_on, $1 FROM good RETURNING id
), track AS (
    INSERT INTO flights.flight_position
    SELECT new.id, p.at, p.latitude, p.longitude, p.altitude_ft
    FROM new, good JOIN flights.flight_position p ON p.flight_id = good.id
)
INSERT INTO flights.flight_processing_queue (flight_id) SELECT id FROM new RETURNING flight_id
"""


@asynccontextmanager
async def ingesting(
    url: str, monkeypatch: pytest.MonkeyPatch, settings: Settings = SETTINGS, *, workers_url: str | None = None,
    **options: Any,
) -> AsyncIterator[Node]:  # fmt: skip
    monkeypatch.setenv(WORKER_URL, workers_url or url)
    async with node(url, flight_ingestion, queues=(QUEUE,), settings={"flights": settings}, **options) as running:
        yield running


async def until_empty(n: Node, connection: asyncpg.Connection) -> None:
    """Until every flight is rated or dead, and the run that did it has ended."""
    ended = 0
    while True:
        ended += 1
        await n.event(RunEnded, count=ended)
        if await connection.fetchval(QUEUED) == 0:
            return


async def ingest(url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Node:
    async with ingesting(url, monkeypatch, **options) as n:
        await until_empty(n, connection)
    return n


async def bills(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(BILLS)]


async def another_flight(connection: asyncpg.Connection, name: str) -> int:
    """A queued flight like the first good one, for a test to spoil; call before the queue is worked."""
    key: int = await connection.fetchval(COPY_FLIGHT, name)
    return key


async def spoil(connection: asyncpg.Connection, how: str) -> int:
    """A queued flight that cannot be rated, and its id."""
    key = await another_flight(connection, how)
    await connection.execute(SPOILT[how].replace("$1", str(key)))
    return key


SPOILT = {
    "no aircraft": "UPDATE flights.flight SET reg = NULL WHERE id = $1",
    "no weight": """
        INSERT INTO flights.aircraft (reg, type) VALUES ('UNWEIGHED', 'A320');
        UPDATE flights.flight SET reg = 'UNWEIGHED' WHERE id = $1""",
    "aircraft not valid yet": """
        INSERT INTO flights.aircraft (reg, type, mtow_t, valid_from) VALUES ('TOO-NEW', 'A320', 78, '2019-01-01');
        UPDATE flights.flight SET reg = 'TOO-NEW' WHERE id = $1""",
    "no rate": "UPDATE flights.flight SET service_on = '2017-12-31' WHERE id = $1",
    "no position": "DELETE FROM flights.flight_position WHERE flight_id = $1",
    "one position": """
        DELETE FROM flights.flight_position p WHERE p.flight_id = $1
            AND p.at > (SELECT min(at) FROM flights.flight_position WHERE flight_id = $1)""",
    "broken track": """
        UPDATE flights.flight_position p
        SET latitude = -80 + 160 * abs(sin(n)), longitude = 170 * sin(3 * n)
        FROM (SELECT at, row_number() OVER (ORDER BY at) AS n FROM flights.flight_position WHERE flight_id = $1) q
        WHERE p.flight_id = $1 AND p.at = q.at AND n > 5 AND n % 3 <> 0""",
    "unknown aerodrome": "UPDATE flights.flight SET arr_icao = 'ZZZZ' WHERE id = $1",
}
REASONS = {
    "no aircraft": "no aircraft: for no aircraft on 2018-08-01",
    "no weight": "no maximum take-off weight: of aircraft UNWEIGHED",
    "aircraft not valid yet": "no aircraft: for aircraft not valid yet on 2018-08-01",
    "no rate": "no unit rate: en-route, zone",
    "no position": "too few positions: 0 usable of 0",
    "one position": "too few positions: 1 usable of 1",
    "broken track": "broken track: spikes:",
    "unknown aerodrome": "unknown aerodrome: ZZZZ",
}
