"""What an invoice says: lines, sums, tax, number, dates; and that nothing is ever billed twice."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.workers.flights.billing import NOTHING, Billing
from workers.flights.settings import Settings

MONDAY, NEXT_MONDAY = date(2018, 8, 6), date(2018, 8, 13)


async def test_one_invoice_holds_all_flights_of_the_period(billing: Billing) -> None:
    await billing.customer(weekly=1)
    for day, amount in ((31, "10.10"), (31, "20.20")):
        await billing.record(date(2018, 7, day), amount)
    await billing.record(MONDAY, "30.30")
    assert await billing.bill(MONDAY) == {**NOTHING, "invoices": 1, "totals": {"EUR": "60.60"}, "lines": 3}
    assert await billing.invoices("number", "subtotal", "tax", "total", "status", "currency") == [
        ("FI/18-19/000001", Decimal("60.60"), Decimal(0), Decimal("60.60"), "PENDING", "EUR")
    ]
    lines = await billing.rows("SELECT seq, callsign, amount, late FROM flights.invoice_line ORDER BY seq")
    assert lines == [
        (1, "TST1", Decimal("10.10"), False),
        (2, "TST1", Decimal("20.20"), False),
        (3, "TST1", Decimal("30.30"), False),
    ]


async def test_running_twice_bills_nothing_more(billing: Billing) -> None:
    await billing.customer(weekly=1)
    await billing.record(MONDAY)
    await billing.bill(MONDAY)
    assert await billing.bill(MONDAY) == NOTHING
    assert await billing.invoices() == [("FI/18-19/000001", Decimal("100.00"))]


async def test_no_customer_is_passed_over_for_the_number_it_has(billing: Billing) -> None:
    for key in (-7, 0, 7):
        await billing.customer(key, weekly=1)
        await billing.record(MONDAY, customer=key)
    assert (await billing.bill(MONDAY))["invoices"] == 3


async def test_a_flight_on_the_last_day_counts_and_one_on_the_next_day_does_not(billing: Billing) -> None:
    await billing.customer(weekly=1)
    await billing.record(MONDAY, "1.00")
    await billing.record(date(2018, 8, 7), "2.00")
    await billing.bill(MONDAY)
    await billing.bill(NEXT_MONDAY)
    assert await billing.invoices("subtotal") == [(Decimal("1.00"),), (Decimal("2.00"),)]


async def test_late_flights_of_earlier_periods_are_swept_in_and_flagged(billing: Billing) -> None:
    await billing.customer(weekly=1)
    await billing.record(MONDAY)
    await billing.bill(MONDAY)
    await billing.record(MONDAY, "7.00")
    await billing.record(date(2018, 7, 1), "8.00")
    await billing.record(NEXT_MONDAY, "9.00")
    report = await billing.bill(NEXT_MONDAY)
    assert (report["lines"], report["late_lines"], report["totals"]) == (3, 2, {"EUR": "24.00"})
    late = "SELECT amount FROM flights.invoice_line WHERE late ORDER BY amount"
    assert await billing.rows(late) == [(Decimal("7.00"),), (Decimal("8.00"),)]


async def test_a_late_flight_reopens_no_period_that_has_its_invoice(billing: Billing) -> None:
    await billing.customer(weekly=1)
    await billing.record(MONDAY)
    await billing.bill(MONDAY)
    await billing.record(MONDAY, "7.00")
    assert await billing.bill(MONDAY) == {**NOTHING, "carried": 1}
    assert len(await billing.invoices()) == 1


async def test_less_than_the_minimum_is_carried_forward_and_uses_no_number(billing: Billing) -> None:
    await billing.customer(1, weekly=1, minimum="100.00")
    await billing.customer(2, weekly=1)
    await billing.record(MONDAY, "99.99")
    await billing.record(MONDAY, "5.00", customer=2)
    report = await billing.bill(MONDAY)
    assert (report["invoices"], report["carried"]) == (1, 1)
    assert await billing.rows("SELECT last_no FROM flights.invoice_series") == [(1,)]
    await billing.record(NEXT_MONDAY, "0.01")
    assert (await billing.bill(NEXT_MONDAY))["carried"] == 0
    assert await billing.invoices("number", "customer_id", "subtotal") == [
        ("FI/18-19/000001", 2, Decimal("5.00")), ("FI/18-19/000002", 1, Decimal("100.00")),
    ]  # fmt: skip


async def test_exactly_the_minimum_is_billed(billing: Billing) -> None:
    await billing.customer(weekly=1, minimum="100.00")
    await billing.record(MONDAY, "100.00")
    assert (await billing.bill(MONDAY))["invoices"] == 1


async def test_the_last_period_of_a_contract_ignores_the_minimum(billing: Billing) -> None:
    await billing.customer(minimum="1000.00", end=date(2018, 8, 15))
    await billing.record(date(2018, 8, 15), "0.01")
    assert (await billing.bill(date(2018, 8, 15)))["totals"] == {"EUR": "0.01"}


async def test_each_currency_has_an_invoice_of_its_own(billing: Billing) -> None:
    await billing.customer(weekly=1)
    for currency, amount in (("EUR", "1.00"), ("GBP", "2.00"), ("USD", "3.00"), ("EUR", "4.00")):
        await billing.record(MONDAY, amount, currency=currency)
    assert (await billing.bill(MONDAY))["totals"] == {"EUR": "5.00", "GBP": "2.00", "USD": "3.00"}
    assert [row[0] for row in await billing.invoices("currency")] == ["EUR", "GBP", "USD"]


async def test_the_minimum_holds_for_each_currency_by_itself(billing: Billing) -> None:
    await billing.customer(weekly=1, minimum="50.00")
    await billing.record(MONDAY, "60.00")
    await billing.record(MONDAY, "40.00", currency="GBP")
    report = await billing.bill(MONDAY)
    assert (report["totals"], report["carried"]) == ({"EUR": "60.00"}, 1)


@pytest.mark.parametrize(
    ("amounts", "rate", "tax"),
    [
        (["0.10", "0.10", "0.10"], "0.05", "0.02"),  # 0.015 once, not 0.01 three times
        (["10.50"], "0.19", "2.00"),  # 1.995
        (["0.50"], "0.01", "0.01"),  # 0.005: half up
        (["0.49"], "0.01", "0.00"),
        (["33.33", "33.33", "33.34"], "0.1925", "19.25"),
    ],
)
async def test_tax_is_rounded_half_up_once_an_invoice(
    billing: Billing, amounts: list[str], rate: str, tax: str
) -> None:
    await billing.customer(weekly=1, tax=rate)
    for amount in amounts:
        await billing.record(MONDAY, amount)
    await billing.bill(MONDAY)
    subtotal = sum(map(Decimal, amounts), Decimal(0))
    assert await billing.invoices("subtotal", "tax", "total") == [(subtotal, Decimal(tax), subtotal + Decimal(tax))]


@pytest.mark.parametrize(
    ("business_date", "label"),
    [
        (date(2018, 3, 30), "17-18"), (date(2018, 3, 31), "18-19"), (date(2025, 3, 30), "24-25"),
        (date(2025, 3, 31), "25-26"), (date(2024, 2, 28), "23-24"), (date(2099, 4, 1), "99-00"),
    ],
)  # fmt: skip
async def test_the_financial_year_begins_on_the_first_of_april_of_the_issue_date(
    billing: Billing, business_date: date, label: str
) -> None:
    await billing.customer(weekly=business_date.isoweekday())
    await billing.record(business_date)
    await billing.bill(business_date)
    assert await billing.invoices("number") == [(f"FI/{label}/000001",)]


async def test_each_financial_year_is_numbered_from_one(billing: Billing) -> None:
    await billing.customer(1, weekly=5)
    await billing.customer(2, weekly=6)
    for key, day in ((1, date(2018, 3, 30)), (2, date(2018, 3, 31))):
        await billing.record(day, customer=key)
        await billing.bill(day)
    assert await billing.invoices("number") == [("FI/17-18/000001",), ("FI/18-19/000001",)]
    assert await billing.rows("SELECT count(*) FROM flights.invoice_series") == [(2,)]


@pytest.mark.parametrize(("own", "due_on"), [(None, date(2018, 8, 21)), (0, date(2018, 8, 7)), (45, date(2018, 9, 21))])
async def test_due_is_the_issue_date_and_the_terms(billing: Billing, own: int | None, due_on: date) -> None:
    billing.settings = Settings(terms_days=14, benchmark_file=None)
    await billing.customer(weekly=1, terms=own)
    await billing.record(MONDAY)
    await billing.bill(MONDAY)
    assert await billing.invoices("due_on") == [(due_on,)]


async def test_an_invoice_says_which_run_made_it(billing: Billing) -> None:
    await billing.customer(weekly=1)
    await billing.record(MONDAY)
    done = await billing.run(MONDAY)
    assert await billing.invoices("run_id") == [(done.id,)]


async def test_every_line_is_a_record_and_every_invoice_the_sum_of_its_lines(billing: Billing) -> None:
    for key in range(1, 30):
        await billing.customer(key, weekly=1, tax="0.19")
        for n in range(key % 5):
            await billing.record(MONDAY, f"{key}.{n}7", customer=key)
    report = await billing.bill(MONDAY)
    assert report["invoices"] == 24
    wrong = """SELECT count(*) FROM flights.invoice i WHERE subtotal <> (
        SELECT sum(r.subtotal) FROM flights.invoice_line l JOIN flights.flight_invoice r
        ON r.id = l.flight_invoice_id AND r.invoice_id = i.id AND r.subtotal = l.amount WHERE l.invoice_id = i.id)"""
    assert await billing.rows(wrong) == [(0,)]
    assert await billing.rows("SELECT count(*) FROM flights.flight_invoice WHERE invoice_id IS NULL") == [(0,)]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"customer": [1]}, "args: customer"), ({"customers": []}, "must be a list of ids"),
        ({"customers": 1}, "must be a list of ids"), ({"customers": [True]}, "must be a list of ids"),
        ({"customers": [1, 9]}, r"customers [9] have no billing period that ends on 2018-08-06"),
    ],
)  # fmt: skip
async def test_arguments_that_make_no_sense_bill_nobody(
    billing: Billing, args: dict[str, object], message: str
) -> None:
    await billing.customer(weekly=1)
    await billing.record(MONDAY)
    done = await billing.run(MONDAY, args=args)
    assert done.ending == "failed"
    assert message in (done.error or "")
    assert await billing.invoices() == []


async def test_by_hand_only_the_named_customers_are_billed_and_their_invoices_issued_today(billing: Billing) -> None:
    for key in (1, 2):
        await billing.customer(key, weekly=1)
        await billing.record(MONDAY, customer=key)
    today = datetime.fromisoformat("2018-10-15T12:00Z")
    await billing.bill(MONDAY, args={"customers": [2]}, now=today)
    assert await billing.invoices("customer_id", "period_end", "issued_on", "due_on") == [
        (2, MONDAY, date(2018, 10, 15), date(2018, 11, 14))
    ]
