"""From a Pinot broker on loopback through worker processes to charge records: the same bills as from PostgreSQL."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from daemon.events import ItemDied, Note, RunEnded
from tests.daemon.harness import rows
from tests.workers.flights.broker import Broker, Seen, broker, table
from tests.workers.flights.ingesting import bills, ingest, ingesting, until_empty
from tests.workers.flights.seeded import FLIGHTS, Seeded
from workers.flights.settings import Settings

ASKED = re.compile(
    r"SELECT ts, latitude, longitude FROM flight_positions WHERE icao24 = '(?P<icao24>[0-9a-f]{6})' "
    r"AND ts BETWEEN (?P<since>\d+) AND (?P<until>\d+) ORDER BY ts LIMIT (?P<limit>\d+)"
)
TRACKS = """
SELECT f.icao24, (extract(epoch FROM p.at) * 1000)::bigint AS ts, p.latitude, p.longitude
FROM flights.flight_position p JOIN flights.flight f ON f.id = p.flight_id ORDER BY f.icao24, p.at
"""
STATES = "SELECT DISTINCT failures, state = 'DEAD' AS dead FROM flights.flight_processing_queue"
DAY_MS = 86_400_000


@dataclass
class PinotTable:
    """Positions of many aircraft on several days, asked for in Pinot's SQL. `allowed` checks the credentials."""

    tracks: dict[str, list[list[Any]]]
    allowed: Callable[[str], bool] = lambda _: True

    def respond(self, server: Broker, asked: Seen) -> None:
        if not self.allowed(asked.headers.get("authorization", "")):
            server.says({"error": "who are you?"}, status="401 Unauthorized")
            return
        found = ASKED.fullmatch(asked.body["sql"])
        assert found is not None, asked.body["sql"]
        since, until, limit = (int(found[name]) for name in ("since", "until", "limit"))
        hits = [row for row in self.tracks.get(found["icao24"], []) if since <= row[0] <= until]
        server.says(table(hits[:limit]))


async def moved_to_pinot(connection: asyncpg.Connection) -> PinotTable:
    """The positions leave PostgreSQL; in Pinot every aircraft has also flown the day before and the day after."""
    tracks: dict[str, list[list[Any]]] = {}
    for icao24, ts, latitude, longitude in await connection.fetch(TRACKS):
        for day in (-DAY_MS, 0, DAY_MS):
            tracks.setdefault(icao24, []).append([ts + day, latitude + (day != 0), longitude])
    await connection.execute("TRUNCATE flights.flight_position")
    return PinotTable({icao24: sorted(rows_) for icao24, rows_ in tracks.items()})


@pytest.fixture
async def expected(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The bills that the same flights come to with positions = "postgres"."""
    url, connection = await seeded.clone()
    await ingest(url, connection, monkeypatch)
    return await bills(connection)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("credentials", "sent"),
    [
        ({"pinot_user": "sexton", "pinot_password": "päss:word"}, basic("sexton", "päss:word")),
        ({"pinot_token": "t0ken"}, "Bearer t0ken"),
    ],
    ids=["basic", "bearer"],
)
async def test_bills_from_pinot_are_those_from_postgres(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch, expected: list[tuple[Any, ...]], credentials: dict[str, str],
    sent: str,
) -> None:  # fmt: skip
    url, connection = await seeded.clone()
    pinot = await moved_to_pinot(connection)
    pinot.allowed = sent.__eq__
    async with broker(respond=pinot.respond) as server:
        settings = Settings(positions="pinot", pinot_url=server.url, benchmark_file=None, **credentials)
        await ingest(url, connection, monkeypatch, settings=settings)
    assert await bills(connection) == expected
    assert len(server.seen) == FLIGHTS


async def test_a_broker_that_is_down_for_a_while_delays_the_bills_and_costs_no_flight_a_try(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch, expected: list[tuple[Any, ...]]
) -> None:
    url, connection = await seeded.clone()
    pinot = await moved_to_pinot(connection)
    async with broker() as gone:
        port = int(gone.url.rpartition(":")[2])
    settings = Settings(positions="pinot", pinot_url=gone.url, benchmark_file=None)
    async with ingesting(url, monkeypatch, settings, retry_delay=0.1) as n:
        note = await n.event(Note, lambda e: "postponed" in e.text)
        await n.event(RunEnded, count=2)
        states = await rows(connection, STATES)
        async with broker(port, pinot.respond):
            await until_empty(n, connection)
    assert "positions unavailable: Pinot: ConnectError" in note.text
    assert states == [{"failures": 0, "dead": False}]
    assert not any(isinstance(e, ItemDied) for e in n.events)
    assert await bills(connection) == expected


async def test_a_broker_that_names_a_time_is_asked_again_then(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> None:
    url, connection = await seeded.clone()

    def busy(server: Broker, _: Seen) -> None:
        server.says({"error": "quota"}, status="429 Too Many Requests", more="Retry-After: 600\r\n")

    async with broker(respond=busy) as server:
        settings = Settings(positions="pinot", pinot_url=server.url, benchmark_file=None)
        async with ingesting(url, monkeypatch, settings) as n:
            note = await n.event(Note, lambda e: "postponed" in e.text)
            await n.event(RunEnded)
    assert "Pinot answered 429" in note.text
    waits = await connection.fetch(
        "SELECT extract(epoch FROM next_attempt_at - sexton.clock())::float8 FROM flights.flight_processing_queue"
    )
    assert len(waits) == FLIGHTS
    assert all(570 < wait <= 600 for (wait,) in waits)


async def test_wrong_credentials_postpone_everything_and_kill_nothing(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, connection = await seeded.clone()
    pinot = await moved_to_pinot(connection)
    pinot.allowed = "Bearer right".__eq__
    async with broker(respond=pinot.respond) as server:
        settings = Settings(positions="pinot", pinot_url=server.url, pinot_token="wrong", benchmark_file=None)
        async with ingesting(url, monkeypatch, settings) as n:
            note = await n.event(Note, lambda e: "postponed" in e.text)
    assert "Pinot answered 401" in note.text
    assert "wrong" not in note.text
    assert await connection.fetchval("SELECT count(*) FROM flights.flight_processing_queue") == FLIGHTS
