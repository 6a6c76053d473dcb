"""Rated flights as rows: which records are new, what they replace, and their charges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from daemon import Transaction, sql
from workers.flights.charge import Fix, Kind, Rated, Record
from workers.flights.rate_flight import CALC_VERSION
from workers.flights.report import Report

LIVE_RECORDS, RESERVE_IDS, SUPERSEDE, INSERT_RECORDS = sql.load(
    __file__, "live_records", "reserve_ids", "supersede", "insert_records"
)

CHARGE_COLUMNS = (
    "flight_invoice_id", "seq", "zone_id", "kind", "entry_lat", "entry_lon", "entry_at",
    "exit_lat", "exit_lon", "exit_at", "gcd_km", "deduction_km", "distance_factor",
    "weight_factor", "service_units", "unit_rate", "amount",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Live:
    """A live charge record as the database has it."""

    id: int
    flight_id: int
    customer_id: int
    service_on: date
    currency: str
    digest: bytes

    def says(self, report: Report, digest: bytes) -> bool:
        """The same charges, of the same day, to the same customer: both may have been put right since."""
        return (self.digest, self.customer_id, self.service_on) == (digest, report.customer_id, report.service_on)


@dataclass(frozen=True, slots=True)
class NewRecord:
    id: int
    flight_id: int
    customer_id: int
    service_on: date
    flags: tuple[str, ...]
    digest: bytes
    record: Record


@dataclass(frozen=True, slots=True)
class Changes:
    """What saving some ratings comes to. `superseded`: old id → the record that takes its place."""

    records: list[NewRecord] = field(default_factory=list)
    superseded: dict[int, int] = field(default_factory=dict)


def changes(reports: Iterable[Report], live: Iterable[Live], ids: Iterator[int]) -> Changes:
    """Insert what is new, keep what is equal, supersede the rest: afterwards every flight's live records are
    exactly those of its newest rating. `ids` has at least one number per rated record."""
    by_flight: dict[int, dict[str, Live]] = {}
    for old in live:
        by_flight.setdefault(old.flight_id, {})[old.currency] = old
    found = Changes()
    for report in reports:
        assert isinstance(report.outcome, Rated)
        assert report.customer_id is not None
        assert report.service_on is not None
        before = by_flight.get(report.flight_id, {})
        standing: dict[str, int] = {}
        for record in report.outcome.records:
            digest = record.digest(CALC_VERSION)
            same = before.get(record.currency)
            if same is not None and same.says(report, digest):
                standing[record.currency] = same.id
                continue
            standing[record.currency] = new_id = next(ids)
            found.records.append(
                NewRecord(
                    new_id, report.flight_id, report.customer_id, report.service_on,
                    report.outcome.flags, digest, record,
                )
            )  # fmt: skip
        heir = next(iter(standing.values()))
        for currency, old in before.items():
            if (successor := standing.get(currency, heir)) != old.id:
                found.superseded[old.id] = successor
    return found


async def save(tx: Transaction, reports: Sequence[Report]) -> None:
    """Write the records and charges of many flights with a handful of statements, whatever their number."""
    flights = [report.flight_id for report in reports]
    live = [Live(**row) for row in await tx.fetch(LIVE_RECORDS, flights)]
    count = sum(len(r.outcome.records) for r in reports if isinstance(r.outcome, Rated))
    ids = iter([row["id"] for row in await tx.fetch(RESERVE_IDS, count)])
    todo = changes(reports, live, ids)
    if todo.superseded:
        await tx.execute(SUPERSEDE, list(todo.superseded), list(todo.superseded.values()))
    if not todo.records:
        return
    inserted = {row["id"] for row in await tx.fetch(INSERT_RECORDS, *record_columns(todo.records), CALC_VERSION)}
    rows = [row for new in todo.records if new.id in inserted for row in charge_rows(new.id, new.record)]
    await tx.copy_records("flights.flight_charge", CHARGE_COLUMNS, rows)


def record_columns(new: Sequence[NewRecord]) -> list[list[Any]]:
    """The parameters $1 to $11 of `insert_records`."""
    rows = [
        (
            n.id, n.flight_id, n.customer_id, n.service_on, n.record.currency, n.record.outcome.value,
            n.record.reason, "\n".join(n.flags), n.record.total(Kind.ENROUTE), n.record.total(Kind.TERMINAL),
            n.digest,
        )
        for n in new
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]


def charge_rows(record_id: int, record: Record) -> Iterator[tuple[Any, ...]]:
    for seq, charge in enumerate(record.charges, 1):
        yield (
            record_id, seq, charge.zone.id, charge.kind.value, *place(charge.entry), *place(charge.exit),
            charge.gcd_km, charge.deduction_km, charge.distance_factor,
            charge.weight_factor, charge.service_units, charge.unit_rate, charge.amount,
        )  # fmt: skip


def place(fix: Fix | None) -> tuple[float | None, float | None, datetime | None]:
    """Latitude, longitude and time of one end of a segment; terminal charges have none."""
    return (None, None, None) if fix is None else (fix.latitude, fix.longitude, datetime.fromtimestamp(fix.at, UTC))
