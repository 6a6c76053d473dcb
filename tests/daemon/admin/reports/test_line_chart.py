"""Lines: every value once, gaps left open, what is unusual marked where it is."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.admin.reports.drawing import drawn
from daemon.admin.reports.line_chart import LineChart, line_chart
from daemon.report import Lines, Unusual
from tests.daemon.admin.reports.shelf import report, row

CUPS = Lines("day", ("cups", "pots"))
JUDGED = Lines("day", ("cups",), unusual=Unusual("cups", "direction", "low", "high"), so_far="open")
COUNTS = st.none() | st.integers(0, 10_000)


def chart(picture: Lines, rows: list[dict[str, Any]]) -> LineChart:
    found = line_chart(report(picture), picture, rows)
    assert found is not None
    return found


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=40))
def test_every_value_is_in_the_picture_and_no_line_crosses_a_gap(values: list[tuple[int | None, int | None]]) -> None:
    rows = [row(n, cups=cups, pots=pots) for n, (cups, pots) in enumerate(values)]
    found = line_chart(report(CUPS), CUPS, rows[::-1])
    if all(value is None for pair in values for value in pair):
        assert found is None
        return
    assert found is not None
    for line in found.lines:
        index = 0 if line.title == "Cups" else 1
        points = [point for stretch in line.solid for point in stretch] + line.alone
        assert len(points) == len(set(points)) == sum(pair[index] is not None for pair in values)
        assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in points)
        assert all(stretch == sorted(stretch) and len(stretch) > 1 for stretch in line.solid)
        gaps = sum(a[index] is not None and b[index] is None for a, b in itertools.pairwise(values))
        assert len(line.solid) + len(line.alone) == gaps + (values[-1][index] is not None)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=50))
def test_strips_cover_the_picture_without_overlapping(values: list[int]) -> None:
    found = chart(CUPS, [row(n, cups=value) for n, value in enumerate(values)])
    at = 0.0
    for strip in found.strips:
        assert strip.x == pytest.approx(at, abs=0.05)
        at += strip.width
    assert at == pytest.approx(100, abs=0.05)
    assert found.strips[0].said == f"2026-10-26: Cups {values[0]:,}"


def test_what_is_unusual_is_marked_at_its_point_with_the_usual_range() -> None:
    rows = [row(0, cups=100), row(1, cups=20, direction="low", low=80, high=120), row(2, cups=100)]
    found = chart(JUDGED, rows)
    (mark,) = found.marks
    assert (mark.x, mark.y) == found.lines[0].solid[0][1]
    assert mark.high_y < mark.low_y < mark.y
    assert mark.said == "2026-10-27: Cups 20, unusually low; usual: 80 to 120"
    assert found.said.endswith("at the end: Cups 100; 1 unusual")
    assert drawn(report(JUDGED), rows).unusual == [mark.said]


def test_what_has_no_time_or_is_too_large_is_in_the_table_alone() -> None:
    rows = [row(0, cups=1), row(cups=7, direction="high", low=1, high=2) | {"day": None}, row(1, cups=10**200)]
    found = drawn(report(JUDGED), rows)
    assert [line.alone for _, one in found.lines for line in one.lines] == [[(1.5, 0.0)]]
    assert found.unusual == []


def test_the_usual_range_is_within_the_picture_even_above_all_values() -> None:
    found = chart(JUDGED, [row(0, cups=5), row(1, cups=1, direction="low", low=400, high=600)])
    assert 0 <= found.marks[0].high_y <= found.marks[0].low_y <= 100


def test_the_way_to_what_is_not_over_is_dotted() -> None:
    (line,) = chart(JUDGED, [row(n, cups=n, open=n == 3) for n in range(4)]).lines
    assert len(line.solid[0]) == 3
    assert line.dotted == [[line.solid[0][-1], line.dotted[0][1]]]
    assert line.alone == []


def test_a_series_for_each_value_the_largest_first_and_at_most_six() -> None:
    picture = Lines("day", ("cups",), by="tea")
    rows = [row(day, tea=f"tea {n}", cups=n) for n in range(1, 9) for day in range(2)]
    assert [line.title for line in chart(picture, rows).lines] == [f"tea {n}" for n in (8, 7, 6, 5, 4, 3)]


def test_what_cannot_share_a_scale_has_a_picture_each() -> None:
    picture = Lines("day", ("takings",), apart="currency")
    rows = [row(day, currency=c, takings=10**n) for n, c in enumerate("ABCDEF") for day in range(2 + (c == "F"))]
    assert [name for name, _ in drawn(report(picture), rows).lines] == ["F", "A", "B", "C"]
