"""As fast as these flights can be rated on five processes: shares dealt out beforehand, results written by COPY."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import asyncpg

from bench.measure import CpuMeter
from daemon.pool import Pool
from workers.flights.charge import Kind, Rated
from workers.flights.flight_records import CHARGE_COLUMNS, charge_rows
from workers.flights.rate_flight import CALC_VERSION, rate_flight
from workers.flights.report import Report
from workers.flights.settings import Settings

FAR_APART = 1_000_000
RECORD_COLUMNS = (
    "id", "flight_id", "customer_id", "service_on", "currency", "outcome", "reason", "flags", "enroute_total",
    "terminal_total", "subtotal", "digest", "calc_version",
)  # fmt: skip


async def main(url: str, postgres: int, flights: list[int], warm_up: int, processes: int) -> dict[str, Any]:
    pool = Pool(processes)
    await pool.start()
    began = time.perf_counter()
    await shares(pool, processes, url, flights[:warm_up], write=False)
    warmed = time.perf_counter() - began
    mine, theirs = CpuMeter(os.getpid()), CpuMeter(postgres)
    began = time.perf_counter()
    await shares(pool, processes, url, flights, write=True)
    took = time.perf_counter() - began
    result = {"seconds": took, "warm_up": warmed, "cpu": mine.sample(), "cpu_postgres": theirs.sample()}
    await pool.stop(1)
    return result


async def shares(pool: Pool, processes: int, url: str, flights: list[int], *, write: bool) -> None:
    await asyncio.gather(
        *(pool.compute(share, url, flights[n::processes], n * FAR_APART if write else -1) for n in range(processes))
    )


async def share(url: str, flights: list[int], base: int) -> None:
    """In a worker: rate all of them, then write all in one transaction, ids from `base` on; -1: write nothing."""
    reports = [await rate_flight(flight, Settings()) for flight in flights]
    if base < 0:
        return
    records, charges = [], []
    ids = count(base + 1)
    for report in reports:
        for record, rows in rows_of(report, ids):
            records.append(record)
            charges += rows
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        for table, columns, rows in (
            ("flight_invoice", RECORD_COLUMNS, records),
            ("flight_charge", CHARGE_COLUMNS, charges),
        ):
            await connection.copy_records_to_table(table, schema_name="flights", columns=columns, records=rows)
    await connection.close()


def rows_of(report: Report, ids: Iterator[int]) -> Iterator[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]:
    assert isinstance(report.outcome, Rated), report
    for record in report.outcome.records:
        new = next(ids)
        row = (
            new, report.flight_id, report.customer_id, report.service_on, record.currency, record.outcome.value,
            record.reason, list(report.outcome.flags), record.total(Kind.ENROUTE), record.total(Kind.TERMINAL),
            record.subtotal, record.digest(CALC_VERSION), CALC_VERSION,
        )  # fmt: skip
        yield row, list(charge_rows(new, record))
