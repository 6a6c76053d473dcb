"""Values as people read them, and as programs do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.admin.reports.cells import plain, told
from daemon.report import Column, Unit


def both(unit: Unit, value: Any, currency: str | None = None) -> tuple[str, str]:
    column = Column("value", "Value", unit, currency="currency" if currency else None)
    row = {"value": value, "currency": currency}
    return told(column, row), plain(column, row)


@pytest.mark.parametrize(
    ("unit", "value", "currency", "people", "programs"),
    [
        (Unit.MONEY, Decimal("1234.500"), "INR", "1,234.50", "1234.50"),
        (Unit.MONEY, Decimal(1234), "JPY", "1,234", "1234"),
        (Unit.MONEY, Decimal("-0.5"), "KWD", "-0.500", "-0.500"),
        (Unit.MONEY, Decimal("0.125"), "EUR", "0.125", "0.125"),
        (Unit.MONEY, Decimal("1E+3"), "EUR", "1,000.00", "1000.00"),
        (Unit.MONEY, Decimal(0), "JPY", "0", "0"),
        (Unit.SHARE, Decimal("0.4125"), None, "41.3 %", "0.4125"),
        (Unit.SHARE, 0.5, None, "50.0 %", "0.5"),
        (Unit.COUNT, 1234567, None, "1,234,567", "1234567"),
        (Unit.COUNT, Decimal(12), None, "12", "12"),
        (Unit.NUMBER, Decimal("1234.5600"), None, "1,234.56", "1234.5600"),
        (Unit.NUMBER, Decimal("0.000123"), None, "0.00012", "0.000123"),
        (Unit.NUMBER, Decimal("0.3571"), None, "0.357", "0.3571"),
        (Unit.NUMBER, Decimal("-0.5000"), None, "-0.5", "-0.5000"),
        (Unit.DAY, date(2026, 11, 2), None, "2026-11-02", "2026-11-02"),
        (Unit.MONTH, date(2026, 11, 1), None, "2026-11", "2026-11-01"),
        (Unit.INSTANT, datetime(2026, 11, 2, 1, 30, tzinfo=timezone(timedelta(hours=5.5))), None, "2026-11-01 20:00",
         "2026-11-01T20:00:00+00:00"),
        (Unit.SECONDS, Decimal(200), None, "3 min 20 s", "200"),
        (Unit.MILLISECONDS, 1402, None, "1,402 ms", "1402"),
        (Unit.BYTES, 1_200_000, None, "1.2 MB", "1200000"),
        (Unit.YES_NO, False, None, "no", "no"),
        (Unit.TEXT, "=1+1", None, "=1+1", "=1+1"),
    ],
)  # fmt: skip
def test_a_value_is_written_by_its_unit(
    unit: Unit, value: Any, currency: str | None, people: str, programs: str
) -> None:
    assert both(unit, value, currency) == (people, programs)


@pytest.mark.parametrize("unit", [Unit.NUMBER, Unit.SHARE, Unit.MONEY])
@pytest.mark.parametrize("value", [None, Decimal("NaN"), float("nan"), float("inf")])
def test_what_is_not_known_is_a_dash_and_an_empty_cell(unit: Unit, value: Any) -> None:
    assert both(unit, value, "EUR" if unit is Unit.MONEY else None) == ("–", "")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=3),
       st.sampled_from(["INR", "JPY", "KWD", "EUR"]))  # fmt: skip
def test_no_amount_is_changed_by_being_written(amount: Decimal, currency: str) -> None:
    people, programs = both(Unit.MONEY, amount, currency)
    assert Decimal(programs) == amount
    assert people.replace(",", "") == programs


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_is_exact_for_programs(at: datetime) -> None:
    assert datetime.fromisoformat(both(Unit.INSTANT, at)[1]) == at
