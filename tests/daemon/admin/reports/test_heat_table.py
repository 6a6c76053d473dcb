"""Heat tables and gauges: a cell for each pair, a shade by value, nothing where nothing is known."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from daemon.admin.reports.gauges import Gauge, gauges
from daemon.admin.reports.heat_table import SHADES, heat_table, shade
from daemon.report import Gauges, Heat
from tests.daemon.admin.reports.shelf import report, row

HEAT = Heat("day", "cups", "part", size="pots")


def test_a_triangle_is_empty_where_days_are_not_over() -> None:
    rows = [
        row(day, cups=n, pots=10 + day, part=Decimal("0.5") / n if day + n <= 3 else None)
        for day in (2, 1, 0) for n in (1, 2, 3)
    ]  # fmt: skip
    found = heat_table(report(HEAT), HEAT, rows)
    assert found is not None
    assert (found.title, found.size_title, found.column_title, found.columns) == (
        "Day",
        "Pots",
        "Cups",
        ["1", "2", "3"],
    )
    assert next((line.title, line.size) for line in found.rows) == ("2026-10-28", "12")
    assert [[cell.said for cell in line.cells] for line in found.rows] == [
        ["50 %", "", ""], ["50 %", "25 %", ""], ["50 %", "25 %", "17 %"],
    ]  # fmt: skip
    assert [cell.shade for cell in found.rows[2].cells] == [9, 4, 3]
    assert found.rows[0].cells[2].shade is None


def test_a_pair_without_a_row_is_empty_and_rows_beyond_forty_are_counted() -> None:
    rows = [row(n, cups=n % 2, pots=1, part=Decimal("0.1")) for n in range(45)]
    found = heat_table(report(HEAT), HEAT, rows)
    assert found is not None
    assert (len(found.rows), found.left) == (40, 5)
    assert [cell.shade for cell in found.rows[0].cells] == [9, None]
    assert heat_table(report(HEAT), HEAT, []) is None
    assert heat_table(report(HEAT), HEAT, [row(0, part=Decimal("0.1"))]) is None


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_is_never_lighter(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0 <= shade(low, 1) <= shade(high, 1) <= SHADES
    assert (shade(low, 1) == 0) == (low == 0)


def test_a_gauge_is_as_full_as_its_share_and_never_beyond() -> None:
    picture = Gauges(("tea", "cups"), "part")
    rows = [
        row(tea="Assam", cups=3, part=Decimal("0.931")),
        row(tea="<b>", part=None),
        row(tea="Oolong", part=Decimal("1.2")),
    ]
    assert gauges(report(picture), picture, rows) == [
        Gauge("Assam, 3", 0.931, "93.1 %"), Gauge("<b>, –", None, "–"), Gauge("Oolong, –", 1.0, "120.0 %"),
    ]  # fmt: skip
