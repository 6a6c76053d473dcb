"""Reports that suites declare: found, and everything wrong with them told at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import suite_reports
from tests.daemon.suites import House, house

GOOD = """
from daemon import *
(CUPS,) = sql.load(__file__, "cups")
cups = Report(
    "Cups", "What was drunk.", CUPS, made_by="brew", settings=("least",),
    columns=(Column("day", "Day", Unit.DAY), Column("cups", "Cups", Unit.COUNT){more}),
    picture={picture},
)
pots = Report("Pots", "What it was made in.", CUPS, made_by="brew", days=None, columns=(Column("pots", "Pots"),))
"""


@pytest.fixture
def built(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        made.job("tea/brew.py")
        made.job("cups/wash.py")
        made.write("tea/reports.sql", "-- name: cups\nSELECT 1;\n")
        yield made


def read(built: House) -> tuple[dict[str, list[str]], list[str]]:
    problems: list[str] = []
    found = suite_reports.read({name: built.suite(name) for name in ("tea", "cups")}, problems)
    return {suite: list(reports) for suite, reports in found.items()}, problems


def test_reports_are_found_in_the_suites_own_file_in_its_order(built: House) -> None:
    assert read(built) == ({}, [])
    built.write("tea/reports.py", GOOD.format(more="", picture='Lines("day", ("cups",))'))
    assert read(built) == ({"tea": ["cups", "pots"]}, [])


def test_a_job_or_setting_that_is_not_there_is_named(built: House) -> None:
    built.write("tea/reports.py", GOOD.format(more="", picture="None"))
    packages = {"tea": built.suite("tea")}
    found = suite_reports.read(packages, [])
    place = f"{packages['tea']}.reports"
    assert suite_reports.check(found, (), {"tea": None}, packages) == [
        f"{place}: cups: there is no job tea.brew", f"{place}: cups: the suite has no setting least",
        f"{place}: pots: there is no job tea.brew",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "picture", "said"),
    [
        (', Column("cups", "Again")', "None", "two columns are called cups"),
        (', Column("price", "Price", Unit.MONEY)', "None", "price: MONEY, and nothing else, names the column of its"),
        (', Column("price", "Price", Unit.MONEY, currency="coin")', "None", "column price: there is no column coin"),
        (', Column("cost", "Cost", Unit.NUMBER, currency="day")', "None", "column cost: MONEY, and nothing else"),
        ("", 'Lines("week", ("cups",))', "its picture needs a column week"),
        ("", 'Lines("cups", ("cups",))', "its picture cannot have cups as count"),
        ("", 'Bars("day", ("day",))', "its picture cannot have day as day"),
        ("", 'Bars("day", ("cups",), by="tea")', "its picture needs a column tea"),
        ("", 'Bars("day", ("cups",), alarming=("pots",))', "its picture needs a column pots"),
        (', Column("tea", "Tea"), Column("pots", "Pots", Unit.COUNT)', 'Lines("day", ("cups", "pots"), by="tea")',
         "its picture is of one column where `by` tells its series"),
        (', Column("part", "Part", Unit.SHARE)', 'Lines("day", ("cups", "part"))', "so its columns have one unit"),
        ("", 'Lines("day", ("cups",), unusual=Unusual("cups", "odd", "low", "high"))', "picture needs a column odd"),
        ("", 'Lines("day", ("cups",), so_far="cups")', "its picture cannot have cups as count"),
        ("", 'Heat("day", "tea", "cups")', "its picture needs a column tea"),
        ("", 'Gauges(("day",), "cups")', "its picture cannot have cups as count"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_by_place(built: House, more: str, picture: str, said: str) -> None:
    built.write("tea/reports.py", GOOD.format(more=more, picture=picture))
    found, problems = read(built)
    assert found == {}
    assert problems[0].startswith(f"{built.suite('tea')}.reports cannot be loaded: ValueError: Report('Cups'): ")
    assert said in problems[0]


def test_a_name_that_is_none_for_an_address_is_told(built: House) -> None:
    built.write("tea/reports.py", GOOD.format(more="", picture="None").replace("pots =", "Pots ="))
    assert read(built)[1] == [
        f"{built.suite('tea')}.reports: Pots is no name for a report; write one such as active_people"
    ]
