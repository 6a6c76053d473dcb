"""Which days of a report are meant."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from daemon.admin.reports.chosen import LONGEST_DAYS, Day, Days, chosen
from tests.daemon.admin.reports.shelf import report

TODAY = date(2026, 11, 26)
DAYS = st.dates(date(1990, 1, 1), date(2040, 1, 1))
READ = TypeAdapter(Day)


@pytest.mark.parametrize(
    ("first", "last", "meant"),
    [
        (None, None, ("2026-11-20", "2026-11-26")),
        ("2026-11-01", None, ("2026-11-01", "2026-11-26")),
        (None, "2026-10-31", ("2026-10-25", "2026-10-31")),
        ("2026-10-01", "2026-10-31", ("2026-10-01", "2026-10-31")),
        ("2026-10-01", "2026-10-01", ("2026-10-01", "2026-10-01")),
        ("2027-01-01", None, ("2027-01-01", "2027-01-07")),
    ],
)
def test_an_end_that_is_not_given_is_the_usual_one(first: str | None, last: str | None, meant: tuple[str, str]) -> None:
    found = chosen(report(days=7), READ.validate_python(first), READ.validate_python(last), TODAY)
    assert found == Days(*map(date.fromisoformat, meant))


def test_a_report_of_things_as_they_are_now_has_no_days() -> None:
    assert chosen(report(days=None), date(2026, 1, 1), None, TODAY) is None


@given(DAYS, DAYS)
def test_a_range_that_is_none_is_refused_and_any_other_is_taken(first: date, last: date) -> None:
    if first <= last < first + timedelta(days=LONGEST_DAYS):
        assert chosen(report(), first, last, TODAY) == Days(first, last)
    else:
        with pytest.raises(ValueError, match=r"swap them|choose fewer"):
            chosen(report(), first, last, TODAY)


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2026-2-1", "26.11.2026", "2026-02-30", "0001-01-01", "9999-12-31", "1700000000", "2026-11-26T00:00"],
)
def test_what_is_no_day_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(ValidationError):
        READ.validate_python(text)


def test_an_empty_field_of_a_form_is_no_day() -> None:
    assert READ.validate_python("") is None
