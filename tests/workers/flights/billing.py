"""Customers, rated flights and runs of the billing jobs, on a real database."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import anyio
import asyncpg

from daemon.testing import PerformedRun, perform
from workers.flights.consolidated_invoice import consolidated_invoice
from workers.flights.invoice_overdue import invoice_overdue
from workers.flights.settings import Settings

SETTINGS = Settings(benchmark_file=None)
NOTHING = {
    "invoices": 0, "totals": {}, "lines": 0, "late_lines": 0, "carried": 0, "parked": 0, "stranded": 0,
    "credit_notes": 0, "uncredited": 0,
}  # fmt: skip
CLEAR = """
TRUNCATE flights.customer, flights.billing_cycle, flights.flight, flights.flight_invoice, flights.flight_charge,
    flights.invoice_series, flights.invoice, flights.invoice_line, flights.credit_note, flights.parked_bill,
    flights.aircraft, flights.flight_position, flights.flight_processing_queue, sexton.run RESTART IDENTITY CASCADE
"""
CUSTOMER = """
INSERT INTO flights.customer (id, code, name, tz, currency, terms_days, grace_days, tax_rate, min_invoice_amount,
    contract_start, contract_end, active)
VALUES ($1::bigint, 'C' || $1::bigint, 'Customer ' || $1::bigint, $2, 'EUR', $3, $4, $5, $6, $7, $8, $9)
"""
FLIGHT = """
INSERT INTO flights.flight (customer_id, callsign, off_block_at, arrived_at, service_on)
VALUES ($1, 'TST1', $2::date + time '08:00', $2::date + time '09:00', $2) RETURNING id
"""
RECORD = """
INSERT INTO flights.flight_invoice (flight_id, customer_id, calc_version, currency, outcome, enroute_total,
    terminal_total, subtotal, service_on, digest)
VALUES ($1, $2, 1, $3, 'CHARGED', $4, 0, $4, $5, 'x') RETURNING id
"""


@dataclass
class Billing:
    """A database to bill in. Runs are due a microsecond apart, so that a date can be run again."""

    url: str
    connection: asyncpg.Connection
    settings: Settings = SETTINGS
    _again: itertools.count[int] = field(default_factory=itertools.count)

    async def customer(
        self, key: int = 1, *, weekly: int | None = None, tz: str = "UTC", terms: int | None = None, grace: int = 0,
        tax: str = "0", minimum: str = "0", start: date = date(2018, 1, 1), end: date | None = None,
        active: bool = True,
    ) -> int:  # fmt: skip
        """`weekly` is the ISO weekday its weeks end on; without one it is billed by the month."""
        terms_ = (key, tz, terms, grace, Decimal(tax), Decimal(minimum), start, end, active)
        await self.connection.execute(CUSTOMER, *terms_)
        await self.cycle(key, start, weekly)
        return key

    async def cycle(self, customer: int, since: date, weekly: int | None) -> None:
        await self.connection.execute(
            "INSERT INTO flights.billing_cycle VALUES ($1, $2, $3, $4)",
            customer, since, "WEEKLY" if weekly else "MONTHLY", weekly,
        )  # fmt: skip

    async def record(self, day: date, amount: str = "100.00", *, customer: int = 1, currency: str = "EUR") -> int:
        """A rated flight of that day; returns the id of its charge record."""
        flight = await self.connection.fetchval(FLIGHT, customer, day)
        found: int = await self.connection.fetchval(RECORD, flight, customer, currency, Decimal(amount), day)
        return found

    async def rate_again(self, record: int, amount: str) -> int:
        """What saving a different rating of a flight comes to."""
        async with self.connection.transaction():
            old = await self.connection.fetchrow("SELECT * FROM flights.flight_invoice WHERE id = $1", record)
            assert old is not None
            reserve = "SELECT nextval(pg_get_serial_sequence('flights.flight_invoice', 'id'))"
            new: int = await self.connection.fetchval(reserve)
            await self.connection.execute(
                "UPDATE flights.flight_invoice SET superseded_by = $2 WHERE id = $1", record, new
            )
            await self.connection.execute(
                RECORD.replace("(flight_id", "(id, flight_id").replace("VALUES (", "VALUES ($6, "),
                old["flight_id"], old["customer_id"], old["currency"], Decimal(amount), old["service_on"], new,
            )  # fmt: skip
        return new

    async def run(self, business_date: date, **options: Any) -> PerformedRun:
        """The invoice run of a business date, which is due at 01:00 the day after."""
        due = datetime.combine(business_date + timedelta(days=1), time(1), UTC)
        return await perform(
            consolidated_invoice, url=self.url, settings=self.settings,
            due_at=due + timedelta(microseconds=next(self._again)), **options,
        )  # fmt: skip

    async def bill(self, business_date: date, **options: Any) -> dict[str, Any]:
        """What a run that succeeded reports."""
        done = await self.run(business_date, **options)
        assert (done.ending, done.error) == ("succeeded", None), done.error
        result: dict[str, Any] = done.result
        return result

    async def overdue(self, at: datetime) -> dict[str, Any]:
        done = await perform(invoice_overdue, url=self.url, due_at=at, settings=self.settings)
        assert (done.ending, done.error) == ("succeeded", None), done.error
        result: dict[str, Any] = done.result
        return result

    async def invoices(self, *columns: str) -> list[tuple[Any, ...]]:
        """Those columns of every invoice, in order of their numbers."""
        chosen = ", ".join(columns or ("number", "total"))
        return await self.rows(f"SELECT {chosen} FROM flights.invoice ORDER BY number")

    async def rows(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.connection.fetch(query, *args)]

    async def set_status(self, status: str, number: str | None = None) -> None:
        await self.connection.execute(
            "UPDATE flights.invoice SET status = $1 WHERE number = $2 OR $2 IS NULL", status, number
        )

    async def refuse(self, customer: int, sqlstate: str, doing: str = "") -> None:
        """From now on every invoice of this customer is refused with that SQLSTATE, once `doing` is done."""
        await self.connection.execute(
            f"CREATE FUNCTION refuse_{customer}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
            f"IF NEW.customer_id = {customer} THEN {doing} RAISE EXCEPTION 'customer {customer} is refused' "
            f"USING ERRCODE = '{sqlstate}'; END IF; RETURN NEW; END$$; "
            f"CREATE TRIGGER refuse_{customer} BEFORE INSERT ON flights.invoice "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_{customer}()"
        )

    async def accept(self, customer: int) -> None:
        await self.connection.execute(f"DROP TRIGGER refuse_{customer} ON flights.invoice")

    async def waiting_backend(self) -> int:
        """The session that waits for an advisory lock, as soon as there is one."""
        query = """SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
        with anyio.fail_after(60):
            while (pid := await self.connection.fetchval(query)) is None:
                await asyncio.sleep(0.005)
        return int(pid)
