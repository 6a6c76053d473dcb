"""Reports of the dashboard: invoices by what became of them, their charges, what is not invoiced, dead flights."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tests.workers.flights.billing import Billing
from tests.workers.reported import cells, reported
from workers.flights import reports

FIRST, LAST = date(2018, 8, 1), date(2018, 9, 30)


async def test_invoices_are_told_by_period_currency_and_what_became_of_them(billing: Billing) -> None:
    for customer in (1, 2, 3, 4):
        await billing.customer(customer, weekly=7, tax="0.2", terms=10)
        await billing.record(date(2018, 8, 7), f"{customer}00.50", customer=customer)
    await billing.record(date(2018, 8, 9), "50.00", customer=1, currency="CHF")
    await billing.bill(date(2018, 8, 12))
    await billing.record(date(2018, 8, 14), "10.00", customer=1)
    numbers = [number for (number,) in await billing.invoices("number")]
    of = dict(await billing.rows("SELECT customer_id, number FROM flights.invoice WHERE currency = 'EUR'"))
    assert len(numbers) == 5
    await billing.set_status("PAID", of[1])
    await billing.set_status("VOID", of[4])
    await billing.overdue(datetime(2018, 9, 20, tzinfo=UTC))
    rows = await reported(billing.connection, "flights", reports.invoices, FIRST, LAST)
    names = ("period_end", "currency", "invoices", "total", "tax", "paid", "open", "overdue")
    assert [cells(reports.invoices, row, *names) for row in rows] == [
        ["2018-08-12", "CHF", "1", "60.00", "10.00", "0.00", "0.00", "60.00"],
        ["2018-08-12", "EUR", "3", "721.80", "120.30", "120.60", "0.00", "601.20"],
    ]
    charged = await reported(billing.connection, "flights", reports.charges, FIRST, LAST)
    names = ("currency", "flights", "enroute", "terminal", "late")
    assert [cells(reports.charges, row, *names) for row in charged] == [
        ["CHF", "1", "50.00", "0.00", "0"], ["EUR", "3", "601.50", "0.00", "0"],
    ]  # fmt: skip
    (waiting,) = await reported(billing.connection, "flights", reports.not_invoiced, FIRST, LAST)
    assert cells(reports.not_invoiced, waiting, "month", "flights", "customers", "amount") == [
        "2018-08-01", "2", "2", "410.50",  # the new one, and that of the void invoice
    ]  # fmt: skip


async def test_dead_flights_are_told_by_what_was_wrong_whatever_flight_it_was(billing: Billing) -> None:
    await billing.customer(1)
    for error in (
        "FlightNotRatedError: no aircraft: for A1 on 2018-08-01",
        "FlightNotRatedError: no aircraft: for B2 on 2018-08-02",
        "FlightNotRatedError: no unit rate for LSAZ on 2018-08-02",
        None,
    ):
        await billing.record(date(2018, 8, 1))
        await billing.connection.execute(
            "INSERT INTO flights.flight_processing_queue (flight_id, state, last_error) "
            "SELECT max(id), 'DEAD', $1 FROM flights.flight", error,
        )  # fmt: skip
    rows = await reported(billing.connection, "flights", reports.dead_flights, FIRST, LAST)
    assert [(row["reason"], row["flights"]) for row in rows] == [
        ("FlightNotRatedError: no aircraft", 2), ("FlightNotRatedError: no unit rate for LSAZ", 1),
        ("nothing is known", 1),
    ]  # fmt: skip
