"""Numbers and instants of headers, in every format that is met and in none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.tutoring.limit_values import LONGEST, amount, duration, instant, reset

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1000", 1000), (" 60 ", 60), ("0", 0), ("-1", -1), ("12.9", 12), (None, None), ("", None), ("many", None),
     ("NaN", None), ("1e9", None), ("9" * 30, None), ("٣", None)],
)  # fmt: skip
def test_amounts(text: str | None, number: int | None) -> None:
    assert amount(text) == number


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12ms", 0.012), ("1s", 1), ("6m0s", 360), ("2m59.56s", 179.56), ("7.66s", 7.66), ("1h2m3s", 3723), ("46s", 46),
     ("1d", 86400), ("30", 30), ("0.5", 0.5), ("250µs", 0.00025)],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "1x", "s", "1 s 2", "99d", "1764158000", "5m junk", "--1s", "1:30"])
def test_what_is_no_duration(text: str) -> None:
    assert duration(text) is None


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T12:00:30Z", "2026-11-20T13:00:30+01:00", "2026-11-20 12:00:30", "Fri, 20 Nov 2026 12:00:30 GMT",
     str(int(NOON.timestamp()) + 30), str((int(NOON.timestamp()) + 30) * 1000), "30s", "30"],
)  # fmt: skip
def test_a_reset_is_read_in_whatever_format_it_comes(text: str) -> None:
    assert reset(text, {}, NOON) == NOON + timedelta(seconds=30)


@pytest.mark.parametrize("text", ["2099-01-01T00:00:00Z", "tomorrow", "<html>", "-", None, "0001-01-01T00:00:00+23:59"])
def test_a_reset_that_makes_no_sense_is_not_said(text: str | None) -> None:
    assert reset(text, {}, NOON) is None


def test_a_reset_in_the_past_is_read_as_it_is() -> None:
    assert reset("2026-11-20T11:59:00Z", {}, NOON) == NOON - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("date", "off_s"),
    [("Fri, 20 Nov 2026 12:05:00 GMT", 300), ("Fri, 20 Nov 2026 11:55:00 GMT", -300),
     ("Fri, 20 Nov 2026 12:00:05 GMT", 0), ("Fri, 20 Nov 1926 12:00:00 GMT", 0), ("now", 0)],
)  # fmt: skip
def test_an_instant_of_a_provider_whose_clock_is_off_is_moved_to_ours(date: str, off_s: int) -> None:
    there = NOON + timedelta(seconds=off_s + 40)
    assert reset(there.isoformat(), {"date": date}, NOON) == NOON + timedelta(seconds=40)
    assert reset("40s", {"date": date}, NOON) == NOON + timedelta(seconds=40)  # a duration needs no clock


@given(st.text(max_size=60), st.text(max_size=40))
def test_no_text_is_an_error(text: str, date: str) -> None:
    amount(text)
    duration(text)
    instant(text)
    until = reset(text, {"date": date}, NOON)
    assert until is None or abs(until - NOON) <= LONGEST
