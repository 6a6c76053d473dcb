"""CSV that reads back as it was, and that no spreadsheet computes."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.admin.reports import table_csv
from daemon.admin.reports.cells import plain
from daemon.admin.reports.chosen import Days
from daemon.report import Unit
from tests.daemon.admin.reports.shelf import COLUMNS, report, row

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


def read_back(rows: list[dict[str, object]]) -> list[list[str]]:
    text = "".join(table_csv.lines(report(), rows))
    return list(csv.reader(io.StringIO(text, newline="")))


@given(st.lists(st.tuples(TEXTS, st.integers(-(10**9), 10**9)), max_size=8))
def test_every_cell_comes_back_but_for_the_guard(values: list[tuple[str, int]]) -> None:
    rows = [row(tea=tea, cups=cups, takings=Decimal(cups) / 4, currency="EUR") for tea, cups in values]
    heads, *found = read_back(rows)
    assert heads == [column.title for column in COLUMNS]
    for cells, of in zip(found, rows, strict=True):
        for column, cell in zip(COLUMNS, cells, strict=True):
            wanted = plain(column, of)
            assert cell in (wanted, f"'{wanted}")
            if column.unit is Unit.TEXT:
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
            else:
                assert cell == wanted


@pytest.mark.parametrize("text", ["=SUM(A1)", "+49 30", "-5", "@me", "\t=1", "\r=1", '=HYPERLINK("http://x")'])
def test_text_that_would_be_a_formula_is_guarded(text: str) -> None:
    assert read_back([row(tea=text)])[1][1] == f"'{text}"


def test_a_negative_amount_stays_a_number() -> None:
    cells = dict(
        zip([c.name for c in COLUMNS], read_back([row(takings=Decimal("-5.5"), currency="EUR")])[1], strict=True)
    )
    assert cells["takings"] == "-5.50"


def test_many_rows_come_in_pieces_and_end_with_crlf() -> None:
    pieces = list(table_csv.lines(report(), [row(n, cups=n) for n in range(1200)]))
    assert len(pieces) == 3
    text = "".join(pieces)
    assert text.count("\r\n") == 1201
    assert text.endswith("\r\n")


def test_a_file_is_named_by_suite_report_and_days() -> None:
    days = Days(date(2026, 11, 1), date(2026, 11, 28))
    assert table_csv.file_name("tea", "cups", days, "2026-11-28") == "tea-cups-2026-11-01-2026-11-28.csv"
    assert table_csv.file_name("tea", "stock", None, "2026-11-28") == "tea-stock-2026-11-28.csv"
