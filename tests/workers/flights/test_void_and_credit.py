"""What is issued is never edited: a void invoice lets its flights go, a new rating is credited."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal

import asyncpg
import pytest

from tests.workers.flights.billing import NOTHING, Billing

MONDAY, NEXT_MONDAY = date(2018, 8, 6), date(2018, 8, 13)
NOTES = "SELECT number, subtotal, tax, total, reason FROM flights.credit_note ORDER BY number"


@pytest.fixture
def billing(url: str, connection: asyncpg.Connection) -> Billing:
    """On a database of its own: these tests change the schema, or need sessions that nobody else has."""
    return Billing(url, connection)


@pytest.fixture
async def billed(billing: Billing) -> Billing:
    await billing.customer(weekly=1, tax="0.19")
    await billing.record(MONDAY, "10.00")
    await billing.bill(MONDAY)
    return billing


async def test_void_releases_the_flights_and_keeps_the_number(billed: Billing) -> None:
    await billed.set_status("VOID")
    assert await billed.rows("SELECT invoice_id FROM flights.flight_invoice") == [(None,)]
    report = await billed.bill(MONDAY, args={"customers": [1]})
    assert report["totals"] == {"EUR": "11.90"}
    assert await billed.invoices("number", "status", "period_start", "period_end") == [
        ("FI/18-19/000001", "VOID", date(2018, 7, 31), MONDAY),
        ("FI/18-19/000002", "PENDING", date(2018, 7, 31), MONDAY),
    ]


async def test_a_void_invoice_keeps_its_lines(billed: Billing) -> None:
    await billed.set_status("VOID")
    assert await billed.rows("SELECT amount FROM flights.invoice_line") == [(Decimal("10.00"),)]


async def test_flights_of_a_void_invoice_that_is_not_issued_again_come_late_with_the_next(billed: Billing) -> None:
    await billed.set_status("VOID")
    await billed.record(NEXT_MONDAY, "1.00")
    report = await billed.bill(NEXT_MONDAY)
    assert (report["lines"], report["late_lines"]) == (2, 1)


@pytest.mark.parametrize("paid", ["PENDING", "OVERDUE"])
async def test_a_paid_invoice_cannot_be_void(billed: Billing, paid: str) -> None:
    await billed.connection.execute("UPDATE flights.invoice SET overdue_at = now()")
    if paid == "OVERDUE":
        await billed.set_status("OVERDUE")
    await billed.set_status("PAID")
    with pytest.raises(asyncpg.CheckViolationError, match="PAID cannot become VOID"):
        await billed.set_status("VOID")


@pytest.mark.parametrize(
    "edit", ["total = total + 1, subtotal = subtotal + 1", "number = 'X'", "issued_on = '2018-01-01'", "tax_rate = 0.2"]
)
async def test_an_issued_invoice_cannot_be_edited(billed: Billing, edit: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="corrected by a credit note"):
        await billed.connection.execute(f"UPDATE flights.invoice SET {edit}")


@pytest.mark.parametrize(
    ("change", "document"),
    [
        ("UPDATE flights.invoice_line SET amount = 1, enroute_total = 1", "invoice_line"),
        ("DELETE FROM flights.invoice_line", "invoice_line"),
        ("DELETE FROM flights.invoice", "invoice"),
        ("UPDATE flights.credit_note SET subtotal = 1, tax = 0, total = 1", "credit_note"),
        ("DELETE FROM flights.credit_note", "credit_note"),
    ],
)
async def test_no_part_of_what_was_issued_is_edited_or_deleted(billed: Billing, change: str, document: str) -> None:
    ((record,),) = await billed.rows("SELECT id FROM flights.flight_invoice")
    await billed.rate_again(record, "6.00")
    await billed.bill(MONDAY)
    with pytest.raises(asyncpg.CheckViolationError, match=f"invoice 1: issued, so its {document} is neither"):
        await billed.connection.execute(change)


@pytest.mark.parametrize(("status", "stamp"), [("PAID", "paid_at"), ("VOID", "voided_at")])
async def test_when_an_invoice_was_paid_or_void_is_kept_even_if_nobody_says_so(
    billed: Billing, status: str, stamp: str
) -> None:
    await billed.set_status(status)
    ((by_itself,),) = await billed.invoices(stamp)
    assert abs((await billed.connection.fetchval("SELECT sexton.clock()") - by_itself).total_seconds()) < 60
    assert await billed.invoices(f"num_nulls(paid_at, voided_at) - ({stamp} IS NULL)::int") == [(1,)]


async def test_a_day_of_payment_that_is_said_stays(billed: Billing) -> None:
    await billed.connection.execute("UPDATE flights.invoice SET status = 'PAID', paid_at = '2018-08-20 10:00Z'")
    assert await billed.invoices("paid_at") == [(datetime(2018, 8, 20, 10, tzinfo=UTC),)]


async def test_a_new_rating_supersedes_credits_and_bills_anew(billed: Billing) -> None:
    record = await billed.record(MONDAY, "5.00")
    await billed.bill(NEXT_MONDAY)
    await billed.rate_again(record, "7.00")
    report = await billed.bill(date(2018, 8, 20))
    assert (report["credit_notes"], report["invoices"], report["totals"]) == (1, 1, {"EUR": "8.33"})
    assert await billed.rows(NOTES) == [
        ("CN/18-19/000001", Decimal("5.00"), Decimal("0.95"), Decimal("5.95"), "rated again after FI/18-19/000002")
    ]
    assert (await billed.bill(date(2018, 8, 20))) == NOTHING


async def test_one_live_record_a_flight_and_currency_whatever_is_rated_again(billed: Billing) -> None:
    record = await billed.record(MONDAY, "5.00")
    await billed.rate_again(record, "6.00")
    live = "SELECT count(*) FROM flights.flight_invoice WHERE superseded_by IS NULL GROUP BY flight_id, currency"
    assert await billed.rows(live) == [(1,), (1,)]
    with pytest.raises(asyncpg.UniqueViolationError, match="flight_invoice_live"):
        await billed.connection.execute(
            "INSERT INTO flights.flight_invoice (flight_id, customer_id, calc_version, currency, outcome, "
            "enroute_total, terminal_total, subtotal, service_on, digest) SELECT flight_id, customer_id, 2, currency, "
            "outcome, enroute_total, terminal_total, subtotal, service_on, 'y' FROM flights.flight_invoice LIMIT 1"
        )


async def test_what_was_superseded_before_it_was_billed_needs_no_credit(billing: Billing) -> None:
    await billing.customer(weekly=1)
    await billing.rate_again(await billing.record(MONDAY, "5.00"), "6.00")
    report = await billing.bill(MONDAY)
    assert (report["totals"], report["credit_notes"]) == ({"EUR": "6.00"}, 0)


async def test_what_stood_on_a_void_invoice_needs_no_credit(billed: Billing) -> None:
    await billed.set_status("VOID")
    ((record,),) = await billed.rows("SELECT id FROM flights.flight_invoice")
    await billed.rate_again(record, "6.00")
    report = await billed.bill(NEXT_MONDAY)
    assert (report["credit_notes"], report["totals"]) == (0, {"EUR": "7.14"})


async def test_a_credited_invoice_cannot_be_void(billed: Billing) -> None:
    ((record,),) = await billed.rows("SELECT id FROM flights.flight_invoice")
    await billed.rate_again(record, "6.00")
    await billed.bill(MONDAY)
    with pytest.raises(asyncpg.CheckViolationError, match="credited already"):
        await billed.set_status("VOID")


async def test_credit_notes_of_a_whole_invoice_come_to_exactly_its_tax(billing: Billing) -> None:
    """0.015 of tax is 0.02 once, but 0.01 three times: together the notes may not exceed what was billed."""
    await billing.customer(weekly=1, tax="0.05")
    records = [await billing.record(MONDAY, "0.10") for _ in range(3)]
    await billing.bill(MONDAY)
    for record in records[:2]:
        await billing.rate_again(record, "0.20")
    await billing.bill(NEXT_MONDAY)
    await billing.rate_again(records[2], "0.20")
    await billing.bill(date(2018, 8, 20))
    assert await billing.rows("SELECT sum(subtotal), sum(tax) FROM flights.credit_note") == [
        (Decimal("0.30"), Decimal("0.02"))
    ]


async def test_two_runs_at_once_credit_once(billed: Billing) -> None:
    ((record,),) = await billed.rows("SELECT id FROM flights.flight_invoice")
    await billed.rate_again(record, "6.00")
    reports = await asyncio.gather(*(billed.bill(MONDAY) for _ in range(4)))
    assert sum(report["credit_notes"] for report in reports) == 1
    assert len(await billed.rows(NOTES)) == 1


async def test_an_invoice_that_cannot_be_credited_holds_up_nobody_and_is_tried_again(billing: Billing) -> None:
    for key in (1, 2, 3):
        await billing.customer(key, weekly=1)
        record = await billing.record(MONDAY, "5.00", customer=key)
        if key == 1:
            await billing.bill(MONDAY, args={"customers": [1]})
        else:
            await billing.bill(MONDAY)
        await billing.rate_again(record, "6.00")
    ((second,),) = await billing.rows("SELECT id FROM flights.invoice WHERE customer_id = 2")
    await billing.connection.execute(
        "TRUNCATE flights.credit_note; "
        f"ALTER TABLE flights.credit_note ADD CONSTRAINT not_this CHECK (invoice_id <> {second}) NOT VALID"
    )
    report = await billing.bill(MONDAY)
    assert (report["credit_notes"], report["uncredited"]) == (2, 1)
    await billing.connection.execute("ALTER TABLE flights.credit_note DROP CONSTRAINT not_this")
    report = await billing.bill(MONDAY)
    assert (report["credit_notes"], report["uncredited"]) == (1, 0)
