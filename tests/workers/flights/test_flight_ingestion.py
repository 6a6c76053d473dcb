"""Queued flights to charge records: real tracks, real worker processes, a real engine and database."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from daemon.actions_deed import Actor
from daemon.actions_items import Chosen, retry_items
from daemon.events import ItemDied, ItemsFinished, Note, RunEnded
from tests.daemon.harness import rows
from tests.workers.flights.ingesting import (
    BILLS,
    ENQUEUE_ALL,
    REASONS,
    SPOILT,
    another_flight,
    bills,
    ingest,
    ingesting,
    spoil,
    until_empty,
)
from tests.workers.flights.seeded import FLIGHTS, Seeded
from workers.flights.flight_ingestion import QUEUE
from workers.flights.settings import Settings

QUICK = {"retry_delay": 0.01}
WAIT_S = "SELECT extract(epoch FROM next_attempt_at - sexton.clock())::float8 FROM flights.flight_processing_queue"


async def test_every_flight_is_rated_once_and_leaves_the_queue(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, connection = await seeded.clone()
    settings = Settings(benchmark_file=tmp_path / "results.json")
    await ingest(url, connection, monkeypatch, settings=settings)
    assert await connection.fetchval("SELECT count(*) FROM flights.flight_processing_queue") == 0
    assert await connection.fetchval("SELECT count(DISTINCT flight_id) FROM flights.flight_invoice") == FLIGHTS
    elal = await connection.fetch(BILLS.replace("WHERE", "WHERE f.external_ref = 'featured/elal747#0' AND"))
    assert [(row["currency"], row["subtotal"]) for row in elal] == [
        ("EUR", Decimal("2727.30")), ("ILS", Decimal("1972.88")),
    ]  # fmt: skip
    wrong = """SELECT count(*) FROM flights.flight_invoice r
        WHERE subtotal <> coalesce((SELECT sum(amount) FROM flights.flight_charge WHERE flight_invoice_id = r.id), 0)"""
    assert await connection.fetchval(wrong) == 0
    ok, points = await connection.fetchrow("SELECT count(*) FILTER (WHERE ok), sum(points) FROM flights.benchmark")
    assert ok == FLIGHTS
    results = json.loads((tmp_path / "results.json").read_text())
    assert (len(results), sum(r["points"] for r in results)) == (FLIGHTS, points)
    reported = [json.loads(row["result"]) for row in await rows(connection, "SELECT result FROM sexton.run")]
    assert (sum(r["ok"] for r in reported), sum(r["points"] for r in reported)) == (FLIGHTS, points)


async def test_rating_everything_again_changes_nothing(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> None:
    url, connection = await seeded.clone()
    async with ingesting(url, monkeypatch) as n:
        await until_empty(n, connection)
        before = await connection.fetch("SELECT * FROM flights.flight_invoice ORDER BY id")
        await connection.execute(ENQUEUE_ALL)
        await until_empty(n, connection)
    assert await connection.fetchval("SELECT count(*) FROM flights.benchmark") == 2 * FLIGHTS
    assert await connection.fetch("SELECT * FROM flights.flight_invoice ORDER BY id") == before


async def test_two_nodes_rate_each_flight_once(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> None:
    url, connection = await seeded.clone()
    async with ingesting(url, monkeypatch, home="/a") as a, ingesting(url, monkeypatch, home="/b") as b:
        first = [asyncio.create_task(n.event(RunEnded)) for n in (a, b)]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        while await connection.fetchval("SELECT count(*) FROM flights.flight_processing_queue"):
            await asyncio.sleep(0.02)
        for task in first:
            task.cancel()
    assert await connection.fetchval("SELECT count(*) FROM flights.benchmark") == FLIGHTS
    assert await connection.fetchval("SELECT count(*) FROM flights.flight_invoice WHERE superseded_by IS NOT NULL") == 0


async def test_flights_that_cannot_be_rated_die_with_their_reason_and_cost_nobody_else(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, connection = await seeded.clone()
    bad = {await spoil(connection, how): how for how in SPOILT}
    n = await ingest(url, connection, monkeypatch, **QUICK)
    dead = await rows(connection, "SELECT flight_id, state, failures, last_error FROM flights.flight_processing_queue")
    assert {row["flight_id"] for row in dead} == set(bad)
    for row in dead:
        assert (row["state"], row["failures"]) == ("DEAD", 5)
        assert row["last_error"].startswith(f"FlightNotRatedError: {REASONS[bad[row['flight_id']]]}")
    alerts = [e.key for e in n.events if isinstance(e, ItemDied)]
    assert sorted(alerts) == sorted(bad)
    assert await connection.fetchval("SELECT count(DISTINCT flight_id) FROM flights.flight_invoice") == FLIGHTS
    tries = "SELECT count(*) AS tries FROM flights.benchmark WHERE NOT ok GROUP BY flight_id"
    assert {row["tries"] for row in await rows(connection, tries)} == {5}


async def test_a_failed_flight_waits_twice_as_long_each_time(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> None:
    url, connection = await seeded.clone()
    await connection.execute("DELETE FROM flights.flight_processing_queue")
    key = await spoil(connection, "no aircraft")
    waits = []
    async with ingesting(url, monkeypatch) as n:
        for failures in range(1, 5):
            await n.event(ItemsFinished, lambda e: e.failed > 0, count=failures)
            waits.append(round(await connection.fetchval(WAIT_S) / 30))
            await connection.execute("UPDATE flights.flight_processing_queue SET next_attempt_at = sexton.clock()")
            n.engine.wake("poll flights.flight_ingestion")
        died = await n.event(ItemDied)
    assert (waits, died.key) == ([1, 2, 4, 8], key)


async def test_a_rate_added_later_brings_a_dead_flight_back(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> None:
    url, connection = await seeded.clone()
    await connection.execute("DELETE FROM flights.flight_processing_queue")
    key = await spoil(connection, "no rate")
    async with ingesting(url, monkeypatch, **QUICK) as n:
        await n.event(ItemDied)
        await connection.execute("UPDATE flights.unit_rate SET valid = daterange('2017-12-01', upper(valid))")
        assert await retry_items(connection, Actor("ann", reason="rates are in"), QUEUE, Chosen([key])) == [key]
        await n.event(ItemsFinished, lambda e: e.done > 0)
    assert await connection.fetchval("SELECT count(*) FROM flights.flight_processing_queue") == 0
    assert await connection.fetchval("SELECT min(subtotal) FROM flights.flight_invoice WHERE flight_id = $1", key) > 0
    assert await connection.fetchval("SELECT who FROM sexton.audit WHERE action = 'retry items'") == "ann"


async def test_a_new_rate_supersedes_what_is_rated_again(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker keeps rates in memory, and must notice."""
    url, connection = await seeded.clone()
    await connection.execute("DELETE FROM flights.flight_processing_queue")
    key = await another_flight(connection, "AGAIN1")
    async with ingesting(url, monkeypatch) as n:
        await n.event(ItemsFinished, lambda e: e.done > 0)
        before = await bills(connection)
        await connection.execute("UPDATE flights.unit_rate SET rate = rate * 2")
        await connection.execute("INSERT INTO flights.flight_processing_queue (flight_id) VALUES ($1)", key)
        await n.event(ItemsFinished, lambda e: e.done > 0, count=2)
    after = await bills(connection)
    assert [(row[2], row[4] > old[4]) for row, old in zip(after, before, strict=True)] == [(r[2], True) for r in before]
    total, live = await connection.fetchrow(
        "SELECT count(*), count(*) FILTER (WHERE superseded_by IS NULL) FROM flights.flight_invoice"
    )
    assert (total, live) == (2 * len(before), len(before))


async def test_a_flight_that_was_another_operators_is_charged_to_that_one_once_it_is_rated_again(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, connection = await seeded.clone()
    await connection.execute("DELETE FROM flights.flight_processing_queue")
    key = await another_flight(connection, "WRONG1")
    live = "SELECT customer_id, subtotal FROM flights.flight_invoice WHERE superseded_by IS NULL ORDER BY currency"
    async with ingesting(url, monkeypatch) as n:
        await n.event(ItemsFinished, lambda e: e.done > 0)
        before = await connection.fetch(live)
        other = await connection.fetchval(
            "UPDATE flights.flight SET customer_id = (SELECT max(id) FROM flights.customer WHERE id <> customer_id) "
            "WHERE id = $1 RETURNING customer_id", key,
        )  # fmt: skip
        await connection.execute("INSERT INTO flights.flight_processing_queue (flight_id) VALUES ($1)", key)
        await n.event(ItemsFinished, lambda e: e.done > 0, count=2)
    assert await connection.fetch(live) == [(other, row["subtotal"]) for row in before]


async def test_the_same_aircraft_on_another_day_keeps_its_own_track(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day later along the same way: the bills are those of the day, not of both."""
    url, connection = await seeded.clone()
    await connection.execute("DELETE FROM flights.flight_processing_queue")
    first, second = await another_flight(connection, "DAY1"), await another_flight(connection, "DAY2")
    for table, columns in (("flight_position", "at"), ("flight", "off_block_at arrived_at service_on")):
        moved = ", ".join(f"{column} = {column} + interval '1 day'" for column in columns.split())
        key = "flight_id" if table == "flight_position" else "id"
        await connection.execute(f"UPDATE flights.{table} SET {moved} WHERE {key} = $1", second)
    await ingest(url, connection, monkeypatch)
    query = "SELECT currency, subtotal FROM flights.flight_invoice WHERE flight_id = $1 ORDER BY currency"
    assert await connection.fetch(query, first) == await connection.fetch(query, second) != []


async def test_a_flight_cannot_be_queued_twice(seeded: Seeded) -> None:
    _, connection = await seeded.clone()
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(ENQUEUE_ALL)


async def test_an_empty_queue_leaves_no_trace(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> None:
    url, connection = await seeded.clone()
    await connection.execute("DELETE FROM flights.flight_processing_queue")
    async with ingesting(url, monkeypatch) as n:
        while n.engine.services["poll flights.flight_ingestion"].steps == 0:
            await asyncio.sleep(0.01)
    assert await connection.fetchval("SELECT count(*) FROM sexton.run") == 0


async def test_workers_that_cannot_reach_the_database_postpone_and_cost_no_flight_a_try(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, connection = await seeded.clone()
    nowhere = "postgresql://sexton@127.0.0.1:1/nowhere"
    async with ingesting(url, monkeypatch, workers_url=nowhere) as n:
        note = await n.event(Note, lambda e: "postponed" in e.text)
        await n.event(RunEnded)
    assert "database unavailable: ConnectionRefusedError" in note.text
    left = await rows(connection, "SELECT DISTINCT state, failures FROM flights.flight_processing_queue")
    assert left == [{"state": "READY", "failures": 0}]


@pytest.mark.parametrize("role", ["nobody_here", ""])
async def test_workers_that_the_database_turns_away_cost_no_flight_a_try_either(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    """A password that was changed, a database that was renamed: no flight's doing."""
    url, connection = await seeded.clone()
    turned_away = urlsplit(url)
    gone = turned_away._replace(path="/nowhere") if not role else turned_away._replace(
        netloc=f"{role}@{turned_away.netloc.rpartition('@')[2]}"
    )  # fmt: skip
    async with ingesting(url, monkeypatch, workers_url=urlunsplit(gone)) as n:
        note = await n.event(Note, lambda e: "postponed" in e.text)
        await n.event(RunEnded)
    assert "database unavailable: Invalid" in note.text
    left = await rows(connection, "SELECT DISTINCT state, failures FROM flights.flight_processing_queue")
    assert left == [{"state": "READY", "failures": 0}]


async def test_a_region_without_an_area_holds_all_flights_up_and_kills_none(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, connection = await seeded.clone()
    await connection.execute(
        "INSERT INTO flights.fir SELECT 'ZZZZ', 'Drawn badly', min(id), "
        """'{"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}', 'test' """
        "FROM flights.charging_zone"
    )
    async with ingesting(url, monkeypatch, retry_delay=0.1) as n:
        note = await n.event(Note, lambda e: "postponed" in e.text)
        assert "no zone geometry: FIR ZZZZ has a polygon without an area" in note.text
        await connection.execute("DELETE FROM flights.fir WHERE ident = 'ZZZZ'")
        await until_empty(n, connection)
    assert not any(isinstance(e, ItemDied) for e in n.events)
    assert await connection.fetchval("SELECT count(DISTINCT flight_id) FROM flights.flight_invoice") == FLIGHTS


async def test_results_that_cannot_be_written_stop_no_billing(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "folder").write_text("a file where a folder should be")
    url, connection = await seeded.clone()
    settings = Settings(benchmark_file=tmp_path / "folder" / "results.json")
    await ingest(url, connection, monkeypatch, settings=settings)
    assert await connection.fetchval("SELECT count(DISTINCT flight_id) FROM flights.flight_invoice") == FLIGHTS
