"""Several runs at once, runs that are killed, customers that cannot be billed: numbers stay gapless, sums exact."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal

import asyncpg
import pytest

from tests.workers.flights.billing import NOTHING, Billing
from workers.flights.settings import Settings

MONDAY, NEXT_MONDAY = date(2018, 8, 6), date(2018, 8, 13)
HOLD = "PERFORM pg_advisory_xact_lock(1);"


@pytest.fixture
def billing(url: str, connection: asyncpg.Connection) -> Billing:
    """On a database of its own: these tests change the schema, or need sessions that nobody else has."""
    return Billing(url, connection)


async def customers(billing: Billing, count: int, minimum: str = "0") -> None:
    for key in range(1, count + 1):
        await billing.customer(key, weekly=1, minimum=minimum)
        await billing.record(MONDAY, f"{key}.00", customer=key)


async def numbers(billing: Billing) -> list[int]:
    return [int(number.rpartition("/")[2]) for (number,) in await billing.invoices("number")]


async def assert_everything_billed_once(billing: Billing, count: int) -> None:
    assert await numbers(billing) == list(range(1, count + 1))
    assert sorted(await billing.invoices("customer_id", "total")) == [(n, Decimal(n)) for n in range(1, count + 1)]
    twice = "SELECT flight_invoice_id FROM flights.invoice_line GROUP BY 1 HAVING count(*) > 1"
    assert await billing.rows(twice) == []


async def test_two_runs_at_once_bill_once(billing: Billing) -> None:
    await customers(billing, 30)
    reports = await asyncio.gather(billing.bill(MONDAY), billing.bill(MONDAY))
    assert sorted(report["invoices"] for report in reports) == [0, 30]
    await assert_everything_billed_once(billing, 30)


async def test_two_runs_of_several_batches_at_once_bill_once(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.flights.consolidated_invoice.CUSTOMERS_AT_ONCE", 4)
    await customers(billing, 30)
    reports = await asyncio.gather(*(billing.bill(MONDAY) for _ in range(3)))
    assert sum(report["invoices"] for report in reports) == 30
    await assert_everything_billed_once(billing, 30)


async def test_customers_with_many_flights_are_billed_in_smaller_batches(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.flights.consolidated_invoice.RECORDS_AT_ONCE", 5)
    await customers(billing, 6)
    for _ in range(9):
        await billing.record(MONDAY, customer=3)
    done = await billing.run(MONDAY)
    assert (done.result["invoices"], done.result["lines"]) == (6, 15)
    transactions = await billing.rows("SELECT count(DISTINCT xmin::text) FROM flights.invoice_line")
    assert transactions == [(3,)]  # customers 1 and 2, customer 3 alone, 4 to 6


async def test_ten_runs_at_once_one_rolled_back_number_one_to_nine(billing: Billing) -> None:
    await customers(billing, 10)
    await billing.refuse(4, "57014")
    runs = await asyncio.gather(*(billing.run(MONDAY, args={"customers": [n]}) for n in range(1, 11)))
    assert sorted(run.ending for run in runs) == ["failed", *["succeeded"] * 9]
    assert await numbers(billing) == list(range(1, 10))
    assert await billing.rows("SELECT last_no FROM flights.invoice_series") == [(9,)]
    assert 4 not in {customer for (customer,) in await billing.invoices("customer_id")}


async def test_a_run_whose_session_is_killed_mid_batch_resumes_and_comes_to_the_same(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.flights.consolidated_invoice.CUSTOMERS_AT_ONCE", 3)
    await customers(billing, 10, minimum="2.00")
    await billing.refuse(8, "23514", HOLD)
    await billing.connection.execute("BEGIN; SELECT pg_advisory_xact_lock(1)")
    running = asyncio.create_task(billing.run(MONDAY))
    other = await asyncpg.connect(billing.url)
    watching = Billing(billing.url, other)
    await other.execute("SELECT pg_terminate_backend($1)", await watching.waiting_backend())
    killed = await running
    assert killed.ending == "database lost"
    await billing.connection.execute("ROLLBACK")
    assert await numbers(watching) == [1, 2, 3, 4, 5]  # customer 1 is under its minimum; 7 to 9 were undone
    await billing.accept(8)
    resumed = await billing.run(MONDAY, resume=killed.id)
    await other.close()
    assert resumed.result == {
        **NOTHING, "invoices": 9, "totals": {"EUR": "54.00"}, "lines": 9, "carried": 1,
    }  # fmt: skip
    assert await numbers(billing) == list(range(1, 10))


@pytest.mark.parametrize("sqlstate", ["23514", "22003", "23505", "22023"])
async def test_a_customer_that_cannot_be_billed_is_parked_and_costs_only_itself(
    billing: Billing, sqlstate: str
) -> None:
    await customers(billing, 12)
    await billing.refuse(5, sqlstate)
    report = await billing.bill(MONDAY)
    assert (report["invoices"], report["parked"], report["carried"]) == (11, 1, 0)
    assert await numbers(billing) == list(range(1, 12))
    ((customer, business_date, reason, settled_by),) = await billing.rows(
        "SELECT customer_id, business_date, reason, settled_by FROM flights.parked_bill"
    )
    assert (customer, business_date, settled_by) == (5, MONDAY, None)
    assert "customer 5 is refused" in reason


async def test_a_sum_too_large_for_an_invoice_parks_its_customer(billing: Billing) -> None:
    await customers(billing, 3)
    for _ in range(2):
        await billing.record(MONDAY, "999999999999.99", customer=2)
    report = await billing.bill(MONDAY)
    assert (report["invoices"], report["parked"]) == (2, 1)
    assert await billing.rows("SELECT left(reason, 27) FROM flights.parked_bill") == [("NumericValueOutOfRangeError",)]


async def test_a_parked_customer_is_billed_by_hand_for_the_same_business_date(billing: Billing) -> None:
    await customers(billing, 3)
    await billing.refuse(2, "23514")
    await billing.bill(MONDAY)
    await billing.accept(2)
    by_hand = await billing.run(MONDAY, args={"customers": [2]})
    assert by_hand.result["invoices"] == 1
    assert await billing.invoices("number", "customer_id", "period_end") == [
        ("FI/18-19/000001", 1, MONDAY), ("FI/18-19/000002", 3, MONDAY), ("FI/18-19/000003", 2, MONDAY),
    ]  # fmt: skip
    settled = "SELECT settled_by, settled_at IS NOT NULL FROM flights.parked_bill"
    assert await billing.rows(settled) == [(by_hand.id, True)]


async def test_a_parked_customer_that_nobody_bills_by_hand_comes_with_its_next_period(billing: Billing) -> None:
    await customers(billing, 2)
    await billing.refuse(2, "23514")
    await billing.bill(MONDAY)
    await billing.accept(2)
    next_run = await billing.run(NEXT_MONDAY)
    assert (next_run.result["invoices"], next_run.result["late_lines"]) == (1, 1)
    assert await billing.rows("SELECT settled_by FROM flights.parked_bill") == [(next_run.id,)]


async def test_a_customer_parked_twice_has_one_row_and_the_newest_reason(billing: Billing) -> None:
    await customers(billing, 2)
    await billing.refuse(2, "23514")
    await billing.bill(MONDAY)
    again = await billing.run(MONDAY)
    assert again.result["parked"] == 1
    assert await billing.rows("SELECT run_id FROM flights.parked_bill") == [(again.id,)]


async def test_too_many_parked_customers_fail_the_run(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.flights.consolidated_invoice.MOST_PARKED", 1)
    await customers(billing, 4)
    for key in (2, 3):
        await billing.refuse(key, "23514")
    done = await billing.run(MONDAY)
    assert (done.ending, done.error) == (
        "failed", "TooManyParkedError: 2 customers cannot be billed: see flights.parked_bill",
    )  # fmt: skip


async def test_a_series_at_its_end_fails_the_run_and_parks_nobody(billing: Billing) -> None:
    await customers(billing, 3)
    await billing.connection.execute("INSERT INTO flights.invoice_series VALUES ('FI/18-19', 999998)")
    done = await billing.run(MONDAY)
    assert done.ending == "failed"
    assert await billing.rows("SELECT * FROM flights.parked_bill") == []
    assert await billing.invoices() == []


async def test_what_is_not_a_customers_doing_fails_the_run_and_undoes_the_batch(billing: Billing) -> None:
    await customers(billing, 3)
    await billing.refuse(3, "53100")
    done = await billing.run(MONDAY)
    assert done.ending == "failed"
    assert await billing.invoices() == []
    await billing.accept(3)
    await billing.run(MONDAY, resume=done.id)
    await assert_everything_billed_once(billing, 3)


async def test_a_deadlock_is_done_again_at_no_cost(billing: Billing) -> None:
    await customers(billing, 3)
    await billing.connection.execute("CREATE SEQUENCE public.tries")
    await billing.refuse(2, "40P01", "IF nextval('public.tries') > 2 THEN RETURN NEW; END IF;")
    assert (await billing.bill(MONDAY))["invoices"] == 3
    await assert_everything_billed_once(billing, 3)


async def test_a_flight_that_is_rated_again_while_it_is_billed_is_billed_at_its_old_price_or_not_at_all(
    billing: Billing,
) -> None:
    """The re-rating holds the record; the invoice waits for it, and leaves the record to the next one."""
    await billing.customer(weekly=1)
    record = await billing.record(MONDAY, "10.00")
    other = await asyncpg.connect(billing.url)
    async with other.transaction():
        query = "SELECT id FROM flights.flight_invoice WHERE id = $1 FOR UPDATE"
        await other.execute(query, record)
        running = asyncio.create_task(billing.bill(MONDAY))
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        while not await billing.connection.fetchval(waits):
            await asyncio.sleep(0.005)
        await Billing(billing.url, other).rate_again(record, "12.00")
    assert (await running)["invoices"] == 0
    await other.close()
    assert (await billing.bill(NEXT_MONDAY))["totals"] == {"EUR": "12.00"}


async def test_a_prefix_of_three_letters_still_fits_a_number(billing: Billing) -> None:
    billing.settings = Settings(invoice_series="ABC", benchmark_file=None)
    await customers(billing, 1)
    await billing.bill(MONDAY)
    assert await billing.invoices("number") == [("ABC/18-19/000001",)]
