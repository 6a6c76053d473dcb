"""Bars: as high as what they stand for, upon one another, beside one another."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.admin.reports.bar_chart import BarChart, bar_chart, slots
from daemon.report import Bars
from tests.daemon.admin.reports.shelf import report, row

BARS = Bars("day", ("cups", "pots"), alarming=("pots",))
COUNTS = st.integers(-1000, 1000)


def chart(rows: list[dict[str, Any]], picture: Bars = BARS) -> BarChart:
    found = bar_chart(report(picture), picture, rows)
    assert found is not None
    return found


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=30))
def test_parts_are_as_high_as_their_values_and_do_not_overlap(values: list[tuple[int, int]]) -> None:
    found = chart([row(n, cups=cups, pots=pots) for n, (cups, pots) in enumerate(values)])
    assert len(found.parts) == sum(value != 0 for pair in values for value in pair)
    assert all(p.x >= -0.01 and p.x + p.width <= 100.01 and p.y >= -0.01 for p in found.parts)
    assert all(p.y + p.height <= 100.01 for p in found.parts)
    sizes = sorted(abs(value) for pair in values for value in pair if value)
    heights = sorted(p.height for p in found.parts)
    if sizes:
        assert heights == pytest.approx([heights[-1] * size / sizes[-1] for size in sizes], abs=0.02)
    by_bar: dict[float, list[tuple[float, float]]] = {}
    for part in found.parts:
        by_bar.setdefault(part.x, []).append((part.y, part.y + part.height))
    for stretches in by_bar.values():
        assert all(above[1] <= below[0] + 0.01 for above, below in pairwise(sorted(stretches)))


@given(st.sets(st.dates(date(2020, 1, 1), date(2026, 1, 1)), min_size=1, max_size=40))
def test_bars_stand_apart_and_within_the_picture(found: set[date]) -> None:
    width, lefts = slots(sorted(found))
    assert all(b - a >= width - 1e-6 for a, b in pairwise(lefts))
    assert lefts[0] == 0
    assert lefts[-1] + width == pytest.approx(100)


def test_a_day_without_a_row_leaves_its_room_empty() -> None:
    found = chart([row(n, cups=1) for n in (0, 1, 3)])
    first, second, third = (part.x for part in found.parts)
    assert third - second == pytest.approx(2 * (second - first), abs=0.01)


def test_parts_say_what_they_are_and_what_is_wrong_looks_so() -> None:
    found = chart([row(0, cups=3, pots=1)])
    assert [(part.look, part.said) for part in found.parts] == [
        ("s0", "2026-10-26: Cups 3"), ("alarming", "2026-10-26: Pots 1"),
    ]  # fmt: skip
    assert found.series == [("s0", "Cups"), ("alarming", "Pots")]
    assert found.said == "1 bar from 2026-10-26 to 2026-10-26; the last: Cups 3; Pots 1"


def test_without_a_value_there_is_no_picture() -> None:
    assert bar_chart(report(BARS), BARS, [row(0), row(1)]) is None


@given(st.integers(1, 30), st.lists(COUNTS, min_size=60, max_size=60))
def test_what_is_beyond_six_series_stands_on_the_bar_added_up(teas: int, cups: list[int]) -> None:
    by_tea = Bars("day", ("cups",), by="tea")
    rows = [row(n // teas, tea=f"tea {n % teas}", cups=abs(cups[n]) + 1) for n in range(2 * teas)]
    found = chart(rows, by_tea)
    assert len(found.series) == min(teas, 6)
    assert any(title == f"{teas - 5} others" for _, title in found.series) == (teas > 6)
    heights = sorted(sum(p.height for p in found.parts if p.x == x) for x in {p.x for p in found.parts})
    totals = sorted(sum(r["cups"] for r in rows if r["day"] == day) for day in {r["day"] for r in rows})
    assert heights[0] / heights[1] == pytest.approx(totals[0] / totals[1], abs=0.01)


def test_others_of_an_amount_keep_its_currency_and_leave_out_what_is_not_known() -> None:
    by_tea = Bars("day", ("takings",), by="tea")
    rows = [row(tea=f"tea {n}", takings=Decimal(100 - n), currency="CHF") for n in range(7)]
    found = chart([*rows, row(tea="tea 7", currency="CHF")], by_tea)
    assert found.parts[-1].said == "2026-10-26: 3 others 189.00"
