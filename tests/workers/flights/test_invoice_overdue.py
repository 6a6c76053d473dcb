"""When an unpaid invoice becomes overdue: at local midnight after its due day and the days of grace."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.workers.flights.billing import Billing

DUE = date(2018, 8, 21)
MIDNIGHT = datetime(2018, 8, 22, tzinfo=UTC)
NOTHING = {"overdue": 0, "totals": {}}
INVOICE = """
INSERT INTO flights.invoice (series, number, customer_id, period_start, period_end, currency, subtotal, tax_rate, tax,
    total, status, issued_on, due_on, overdue_at)
VALUES ('FI/18-19', 'FI/18-19/' || $1::bigint, $1, '2017-12-01', '2017-12-31', 'EUR', 100, 0, 0, 100, $3, '2018-01-01',
    $2, CASE WHEN $3 = 'OVERDUE' THEN timestamptz '2018-08-01 00:00Z' END)
"""


async def invoice(billing: Billing, due_on: date = DUE, status: str = "PENDING", key: int = 1, **terms: object) -> None:
    """An invoice over 100.00 of a new customer."""
    await billing.customer(key, weekly=1, **terms)  # type: ignore[arg-type]
    await billing.connection.execute("INSERT INTO flights.invoice_series VALUES ('FI/18-19', 0) ON CONFLICT DO NOTHING")
    await billing.connection.execute(INVOICE, key, due_on, status)


async def becomes_overdue_at(billing: Billing, instant: datetime) -> None:
    """Not a second earlier, and then once."""
    assert await billing.overdue(instant - timedelta(seconds=1)) == NOTHING
    assert await billing.overdue(instant) == {"overdue": 1, "totals": {"EUR": "100.00"}}
    assert await billing.invoices("status", "overdue_at") == [("OVERDUE", instant)]


async def test_without_invoices_nothing_becomes_overdue(billing: Billing) -> None:
    assert await billing.overdue(MIDNIGHT) == NOTHING


async def test_an_invoice_is_overdue_from_the_midnight_after_its_due_day(billing: Billing) -> None:
    await invoice(billing)
    await becomes_overdue_at(billing, MIDNIGHT)


@pytest.mark.parametrize("grace", [1, 5, 365])
async def test_days_of_grace_are_added(billing: Billing, grace: int) -> None:
    await invoice(billing, grace=grace)
    await becomes_overdue_at(billing, MIDNIGHT + timedelta(days=grace))


MIDNIGHTS = [
    ("Europe/Berlin", date(2018, 8, 21), "2018-08-21T22:00Z"),
    ("Europe/Berlin", date(2018, 12, 21), "2018-12-21T23:00Z"),
    ("Europe/Berlin", date(2018, 3, 24), "2018-03-24T23:00Z"),  # the night the clocks go forward
    ("Europe/Berlin", date(2018, 3, 25), "2018-03-25T22:00Z"),
    ("Europe/Berlin", date(2018, 10, 28), "2018-10-28T23:00Z"),  # a day of 25 hours
    ("America/New_York", date(2018, 11, 4), "2018-11-05T05:00Z"),
    ("America/Sao_Paulo", date(2018, 11, 3), "2018-11-04T03:00Z"),  # that midnight does not exist: 01:00
    ("Asia/Kolkata", date(2018, 8, 21), "2018-08-21T18:30Z"),
    ("Asia/Kathmandu", date(2018, 8, 21), "2018-08-21T18:15Z"),
    ("Pacific/Kiritimati", date(2018, 8, 21), "2018-08-21T10:00Z"),  # UTC+14
    ("Etc/GMT+12", date(2018, 8, 21), "2018-08-22T12:00Z"),  # UTC-12
    ("UTC", date(2020, 2, 28), "2020-02-29T00:00Z"),
    ("UTC", date(2020, 2, 29), "2020-03-01T00:00Z"),
]


async def test_midnight_is_the_customers(billing: Billing) -> None:
    instants = [(datetime.fromisoformat(instant), tz, due_on) for tz, due_on, instant in MIDNIGHTS]
    for key, (_, tz, due_on) in enumerate(instants, 1):
        await invoice(billing, due_on, tz=tz, key=key)
    for instant, tz, due_on in sorted(instants):
        assert await billing.overdue(instant - timedelta(seconds=1)) == NOTHING, (tz, due_on)
        assert (await billing.overdue(instant))["overdue"] == 1, (tz, due_on)


@pytest.mark.parametrize("status", ["DRAFT", "PAID", "VOID", "OVERDUE"])
async def test_only_pending_invoices_become_overdue(billing: Billing, status: str) -> None:
    await invoice(billing, status=status)
    before = await billing.rows("SELECT * FROM flights.invoice")
    assert await billing.overdue(MIDNIGHT + timedelta(days=100)) == NOTHING
    assert await billing.rows("SELECT * FROM flights.invoice") == before


async def test_running_again_changes_nothing_and_keeps_the_first_instant(billing: Billing) -> None:
    await invoice(billing)
    await billing.overdue(MIDNIGHT)
    assert await billing.overdue(MIDNIGHT + timedelta(hours=1)) == NOTHING
    assert await billing.invoices("overdue_at") == [(MIDNIGHT,)]


async def test_two_runs_at_once_flip_each_invoice_once(billing: Billing) -> None:
    for key in range(1, 21):
        await invoice(billing, key=key)
    reports = await asyncio.gather(
        *(billing.overdue(MIDNIGHT + timedelta(microseconds=n)) for n in range(4)), return_exceptions=False
    )
    assert sum(report["overdue"] for report in reports) == 20


async def test_missed_hours_are_made_up_by_the_latest_one(billing: Billing) -> None:
    for key, day in enumerate((1, 10, 20, 28), 1):
        await invoice(billing, date(2018, 8, day), key=key)
    assert (await billing.overdue(datetime(2018, 8, 21, 7, tzinfo=UTC)))["overdue"] == 3


async def test_an_invoice_on_terms_of_no_days_is_overdue_the_next_midnight(billing: Billing) -> None:
    await billing.customer(weekly=1, terms=0)
    await billing.record(date(2018, 8, 6))
    await billing.bill(date(2018, 8, 6))
    assert await billing.invoices("issued_on", "due_on") == [(date(2018, 8, 7), date(2018, 8, 7))]
    assert await billing.overdue(datetime(2018, 8, 7, 23, 59, tzinfo=UTC)) == NOTHING
    assert (await billing.overdue(datetime(2018, 8, 8, tzinfo=UTC)))["overdue"] == 1


async def test_sums_are_told_by_currency(billing: Billing) -> None:
    await billing.customer(weekly=1, terms=0)
    for currency, amount in (("EUR", "1.10"), ("GBP", "2.20"), ("EUR", "3.30")):
        await billing.record(date(2018, 8, 6), amount, currency=currency)
    await billing.bill(date(2018, 8, 6))
    report = await billing.overdue(MIDNIGHT)
    assert report == {"overdue": 2, "totals": {"EUR": "4.40", "GBP": "2.20"}}
    assert Decimal(report["totals"]["EUR"]) == Decimal("4.40")
