"""Which customers are billed on which business date, and for which period."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.workers.flights.billing import NOTHING, Billing

MONDAY, SUNDAY = date(2018, 8, 6), date(2018, 8, 5)


async def billed_on(billing: Billing, first: date, last: date, *, but_not: range = range(0)) -> list[date]:
    """The business dates that made invoices, of a customer that flies every day. `but_not`: days without a run."""
    found = []
    day = first
    while day <= last:
        await billing.record(day)
        if day.day not in but_not and (await billing.bill(day))["invoices"]:
            found.append(day)
        day += timedelta(days=1)
    return found


async def periods(billing: Billing) -> list[tuple[date, date]]:
    return [(start, end) for start, end in await billing.invoices("period_start", "period_end")]


async def test_without_customers_there_is_nothing_to_bill(billing: Billing) -> None:
    assert await billing.bill(MONDAY) == NOTHING


async def test_a_customer_without_flights_gets_no_invoice_and_uses_no_number(billing: Billing) -> None:
    await billing.customer(weekly=1)
    assert await billing.bill(MONDAY) == NOTHING
    assert await billing.rows("SELECT * FROM flights.invoice_series") == []


async def test_a_weekly_customer_is_billed_on_its_week_end_day_only(billing: Billing) -> None:
    for isodow in range(1, 8):
        await billing.customer(isodow, weekly=isodow)
        await billing.record(date(2018, 8, 1), customer=isodow)
    for day in range(6, 13):
        await billing.bill(date(2018, 8, day))
    ended = await billing.invoices("customer_id", "extract(isodow FROM period_end)::int")
    assert ended == [(isodow, isodow) for isodow in range(1, 8)]


async def test_a_week_is_the_seven_days_up_to_its_end(billing: Billing) -> None:
    await billing.customer(weekly=1)
    await billing.record(MONDAY)
    await billing.bill(MONDAY)
    assert await periods(billing) == [(date(2018, 7, 31), MONDAY)]


async def test_a_monthly_customer_is_billed_on_the_last_day_of_its_month_only(billing: Billing) -> None:
    await billing.customer()
    assert await billed_on(billing, date(2018, 8, 29), date(2018, 9, 2)) == [date(2018, 8, 31)]
    assert await periods(billing) == [(date(2018, 8, 1), date(2018, 8, 31))]


@pytest.mark.parametrize(
    ("year", "last"), [(2018, date(2018, 2, 28)), (2020, date(2020, 2, 29)), (2000, date(2000, 2, 29))]
)
async def test_february_ends_when_the_calendar_says_so(billing: Billing, year: int, last: date) -> None:
    await billing.customer(start=date(year, 1, 1))
    assert await billed_on(billing, date(year, 2, 27), date(year, 3, 1)) == [last]
    assert await periods(billing) == [(date(year, 2, 1), last)]


async def test_the_business_date_is_the_day_before_the_run(billing: Billing) -> None:
    """Monday's invoice is made at 01:00 on Tuesday, holds all of Monday, and nothing of Tuesday."""
    await billing.customer(weekly=1)
    for day in (MONDAY, MONDAY + timedelta(days=1)):
        await billing.record(day)
    await billing.bill(MONDAY)
    assert await billing.invoices("period_end", "issued_on") == [(MONDAY, date(2018, 8, 7))]
    assert await billing.rows("SELECT service_on, late FROM flights.invoice_line") == [(MONDAY, False)]


async def test_the_first_period_begins_with_the_contract(billing: Billing) -> None:
    await billing.customer(start=date(2018, 8, 20))
    await billing.record(date(2018, 8, 20))
    await billing.bill(date(2018, 8, 31))
    assert await periods(billing) == [(date(2018, 8, 20), date(2018, 8, 31))]


async def test_a_contract_that_ends_within_a_period_is_billed_on_its_last_day(billing: Billing) -> None:
    await billing.customer(end=date(2018, 8, 15))
    assert await billed_on(billing, date(2018, 8, 13), date(2018, 8, 15)) == [date(2018, 8, 15)]
    assert await periods(billing) == [(date(2018, 8, 1), date(2018, 8, 15))]


async def test_what_is_rated_after_the_contract_ended_is_billed_on_the_old_rhythm(billing: Billing) -> None:
    await billing.customer(end=date(2018, 8, 15))
    await billing.record(date(2018, 8, 15))
    await billing.bill(date(2018, 8, 15))
    await billing.record(date(2018, 8, 14), "30.00")
    assert (await billing.bill(date(2018, 8, 31)))["late_lines"] == 1
    assert await periods(billing) == [
        (date(2018, 8, 1), date(2018, 8, 15)),
        (date(2018, 8, 16), date(2018, 8, 31)),
    ]


async def test_a_contract_of_one_day_is_a_period_of_one_day(billing: Billing) -> None:
    await billing.customer(weekly=7, start=date(2018, 8, 8), end=date(2018, 8, 8))
    assert await billed_on(billing, date(2018, 8, 8), date(2018, 8, 8)) == [date(2018, 8, 8)]
    assert await periods(billing) == [(date(2018, 8, 8), date(2018, 8, 8))]


async def test_a_change_of_frequency_closes_the_old_period_the_day_before(billing: Billing) -> None:
    """Weeks to Sunday until 8 August, a Wednesday; months from the 9th."""
    await billing.customer(weekly=7)
    await billing.cycle(1, date(2018, 8, 9), None)
    days = await billed_on(billing, date(2018, 8, 4), date(2018, 8, 31), but_not=range(13, 30))
    assert days == [SUNDAY, date(2018, 8, 8), date(2018, 8, 31)]
    assert await periods(billing) == [
        (date(2018, 7, 30), SUNDAY),
        (date(2018, 8, 6), date(2018, 8, 8)),
        (date(2018, 8, 9), date(2018, 8, 31)),
    ]
    lines = await billing.invoices("(SELECT count(*) FROM flights.invoice_line WHERE invoice_id = invoice.id)")
    assert lines == [(2,), (3,), (23,)]


async def test_a_change_on_the_week_end_itself_makes_no_empty_period(billing: Billing) -> None:
    await billing.customer(weekly=7)
    await billing.cycle(1, MONDAY, 3)
    assert await billed_on(billing, date(2018, 8, 4), date(2018, 8, 9)) == [SUNDAY, date(2018, 8, 8)]
    assert (await periods(billing))[-1] == (MONDAY, date(2018, 8, 8))


async def test_missed_days_are_billed_in_order_as_if_nothing_had_happened(billing: Billing) -> None:
    """The engine hands every missed instant over (`CatchUp.EACH`); each one bills its own week."""
    await billing.customer(weekly=1)
    for week in range(4):
        await billing.record(MONDAY + timedelta(weeks=week))
    for week in range(4):
        assert (await billing.bill(MONDAY + timedelta(weeks=week)))["late_lines"] == 0
    assert await billing.invoices("number", "period_end", "issued_on") == [
        (f"FI/18-19/00000{n + 1}", MONDAY + timedelta(weeks=n), MONDAY + timedelta(weeks=n, days=1)) for n in range(4)
    ]


@pytest.mark.parametrize(("active", "cycle"), [(False, True), (True, False)])
async def test_charges_that_nobody_would_ever_bill_are_reported(billing: Billing, active: bool, cycle: bool) -> None:
    await billing.customer(weekly=1, active=active)
    if not cycle:
        await billing.connection.execute("DELETE FROM flights.billing_cycle")
    await billing.record(MONDAY)
    assert await billing.bill(MONDAY) == {**NOTHING, "stranded": 1}
