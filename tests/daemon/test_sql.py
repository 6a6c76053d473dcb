"""SQL lives in files beside the code; a statement that is missing stops the import."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon import sql
from daemon.sql import Statement

TEXT = """-- What this file is for.

-- name: one
-- Its reason.
SELECT 1;

-- name: two
SELECT $1::int
FROM generate_series(1, 2);
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "tea.sql").write_text(TEXT, encoding="utf-8")
    return tmp_path / "tea.py"


def test_statements_come_in_the_order_asked_for(module: Path) -> None:
    two, one = sql.load(str(module), "two", "one")
    assert (one.name, one.text, one.place) == ("one", "-- Its reason.\nSELECT 1", "tea.sql:one")
    assert str(two) == "SELECT $1::int\nFROM generate_series(1, 2)"


def test_an_unknown_statement_is_told_the_nearest_one(module: Path) -> None:
    with pytest.raises(KeyError, match=r"tea\.sql has no statement named 'tow'; did you mean 'two'\?"):
        sql.load(str(module), "tow")


def test_a_module_without_its_file_does_not_import(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sql.load(str(tmp_path / "tea.py"), "one")


def test_two_statements_of_one_name_are_refused(module: Path) -> None:
    file = module.with_suffix(".sql")
    file.write_text(TEXT + "-- name: one\nSELECT 2;\n", encoding="utf-8")
    with pytest.raises(ValueError, match="two statements are named 'one'"):
        sql.parse(file)


@pytest.mark.parametrize(("table", "quoted"), [("tea.cup", '"tea"."cup"'), ("cup", '"cup"'), ("t_1.c2", '"t_1"."c2"')])
def test_a_table_is_named_by_a_checked_identifier(table: str, quoted: str) -> None:
    assert Statement("x", "DELETE FROM {queue} q", "p").on(queue=table).text == f"DELETE FROM {quoted} q"


@pytest.mark.parametrize("table", ["", "a.b.c", "Tea", 'a"b', "a;b", "a b", "a.", ".b", "1a", "a\n", "ä"])
def test_what_is_no_identifier_is_refused(table: str) -> None:
    with pytest.raises(ValueError, match=r"is not an identifier such as suite\.table"):
        Statement("x", "DELETE FROM {queue}", "p").on(queue=table)
