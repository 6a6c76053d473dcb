"""Rate every queued flight in the worker processes, and save its charges."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from daemon import Context, Drained, Postponed, Priority, QueueItem, Transaction, WorkQueue, minutes, poll, seconds
from workers.flights import flight_records
from workers.flights.benchmark_file import benchmark_file
from workers.flights.charge import Unratable
from workers.flights.rate_flight import rate_flight
from workers.flights.report import Report
from workers.flights.settings import Settings

QUEUE = WorkQueue("flights.flight_processing_queue", key="flight_id")
PER_FLIGHT = minutes(2)
SOONEST_S, LATEST_S = 1.0, 3600.0
"""However odd a Retry-After: a flight is not asked for in a busy loop, nor forgotten for a day."""

BENCHMARK_COLUMNS = (
    "flight_id", "worker_pid", "points", "fetch_ms", "cpu_ms", "save_ms", "ok", "error", "at",
)  # fmt: skip


class FlightNotRatedError(Exception):
    """A flight that could not be rated, with the reason that its queue row will carry."""


@dataclass
class Ingestion:
    """One pass over the queue: its three steps, and what it came to."""

    ctx: Context
    settings: Settings
    ok: int = 0
    failed: int = 0
    dead: int = 0
    postponed: int = 0
    points: int = 0
    cpu_ms: float = 0.0
    benchmarks: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    unrated: dict[int, Report] = field(default_factory=dict)

    async def perform(self, item: QueueItem) -> Report:
        """Rate one flight in a worker. Raises `FlightNotRatedError`, `Postponed` and whatever became of the worker."""
        report: Report = await self.ctx.compute(rate_flight, item.key, self.settings, timeout=PER_FLIGHT)
        if isinstance(report.outcome, Unratable):
            if report.transient:
                raise Postponed(str(report.outcome), delay_of(report))
            self.unrated[item.key] = report
            raise FlightNotRatedError(str(report.outcome))
        return report

    async def save(self, tx: Transaction, rated: Sequence[tuple[QueueItem, Report]]) -> None:
        started = time.perf_counter()
        reports = [report for _, report in rated]
        await flight_records.save(tx, reports)
        share_ms = (time.perf_counter() - started) * 1000 / len(reports)
        rows = [self.benchmark(report.flight_id, report, share_ms, None) for report in reports]
        await tx.copy_records("flights.benchmark", BENCHMARK_COLUMNS, rows)
        self.benchmarks.update((row[0], row) for row in rows)

    async def save_failures(self, tx: Transaction, failures: Sequence[tuple[QueueItem, str]]) -> None:
        rows = [self.benchmark(item.key, self.unrated.pop(item.key, None), 0.0, error) for item, error in failures]
        await tx.copy_records("flights.benchmark", BENCHMARK_COLUMNS, rows)
        self.benchmarks.update((row[0], row) for row in rows)

    def benchmark(self, flight_id: int, report: Report | None, save_ms: float, error: str | None) -> tuple[Any, ...]:
        """A row of `flights.benchmark`; without a report the worker died or was stopped."""
        done: tuple[float | None, ...] = (None, None, None, None)
        if report is not None:
            done = (report.worker_pid, report.points, report.fetch_ms, report.cpu_ms)
        return (flight_id, *done, save_ms, error is None, error, self.ctx.now())

    def count(self, drained: Drained) -> None:
        self.ok += drained.done
        self.failed += drained.failed
        self.dead += drained.dead
        self.postponed += drained.postponed
        self.points += sum(report.points for report in drained.results)
        self.cpu_ms += sum(report.cpu_ms for report in drained.results)

    def newest_benchmarks(self) -> list[dict[str, Any]]:
        """Those since the last call, as `benchmarks/results.json` has them."""
        rows, self.benchmarks = self.benchmarks, {}
        return [
            {**dict(zip(BENCHMARK_COLUMNS[:-1], row[:-1], strict=True)), "at": row[-1].isoformat()}
            for row in rows.values()
        ]

    def totals(self) -> dict[str, Any] | None:
        """What the run reports; a pass that found nothing has nothing to say."""
        counts = {"ok": self.ok, "failed": self.failed, "dead": self.dead, "postponed": self.postponed}
        if not any(counts.values()):
            return None
        return {**counts, "points": self.points, "cpu_ms": round(self.cpu_ms)}


def delay_of(report: Report) -> timedelta | None:
    """How long the source asked us to wait; None leaves it to the queue."""
    if report.retry_after_s is None:
        return None
    return timedelta(seconds=min(max(report.retry_after_s, SOONEST_S), LATEST_S))


@poll(seconds(30), wake=QUEUE, priority=Priority.HIGH, timeout=PER_FLIGHT)
async def flight_ingestion(ctx: Context) -> object:
    """Rate every queued flight in the worker processes, and save its charges."""
    run = Ingestion(ctx, ctx.settings)
    async for drained in ctx.drain(QUEUE, run.perform, run.save, timeout=PER_FLIGHT, save_failures=run.save_failures):
        run.count(drained)
        await ctx.progress(run.ok + run.failed + run.dead)
        await keep_benchmarks(run)
    totals = run.totals()
    if totals is not None:
        await keep_benchmarks(run, last=True)
        ctx.log.info(
            "rated %(ok)d flights of %(points)d positions, "
            "%(failed)d failed, %(dead)d given up, %(postponed)d postponed", totals,
        )  # fmt: skip
    return totals


async def keep_benchmarks(run: Ingestion, *, last: bool = False) -> None:
    """Bring the benchmark file up to date. It is for people: a full disk there stops no billing."""
    rows = run.newest_benchmarks()
    if run.settings.benchmark_file is None:
        return
    file = benchmark_file(run.settings.benchmark_file)
    try:
        await file.add(rows)
        if last:
            await file.flush()
    except OSError as error:
        run.ctx.log.warning("%s cannot be written: %s", file.path, error)
