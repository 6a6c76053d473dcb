"""Reports of suites: over the API, as CSV and on their page; read only, within bounds, each for itself."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from daemon import Cron
from daemon.admin.dashboard import report_page
from daemon.admin.reports.drawing import drawn
from daemon.admin.reports.reading import ReportTooSlow, read
from daemon.report import Column, Report, Unit
from daemon.sql import Statement
from tests.daemon.actions_house import add_run
from tests.daemon.admin.house import house
from tests.daemon.harness import a_job
from tests.daemon.suites import House
from tests.daemon.suites import house as suites

DECLARED = '''
"""The shop's reports."""

from daemon import *

CUPS, SHELF, WRONG, WRITES = sql.load(__file__, "cups", "shelf", "wrong", "writes")
DAY, TEA = Column("day", "Day", Unit.DAY), Column("tea", "Tea <b>")

cups = Report(
    "Cups", "What was drunk.", CUPS, made_by="brew", days=7,
    columns=(DAY, TEA, Column("cups", "Cups", Unit.COUNT), Column("coin", "Currency"),
             Column("takings", "Takings", Unit.MONEY, currency="coin")),
    picture=Lines("day", ("cups",), by="tea"),
)
shelf = Report("Shelf", "What is there.", SHELF, made_by="brew", days=None, columns=(TEA,))
wrong = Report("Wrong", "It divides by zero.", WRONG, made_by="brew", days=None, columns=(TEA,))
missing = Report("Missing", "A column is not there.", SHELF, made_by="brew", days=None, columns=(TEA, DAY))
unset = Report("Unset", "No setting.", SHELF, made_by="brew", days=None, columns=(TEA,), settings=("least",))
writes = Report("Writes", "It may not.", WRITES, made_by="wash", days=None, columns=(TEA,))
'''
SQL = """
-- name: cups
SELECT day, tea, cups, coin, takings FROM drunk WHERE day BETWEEN $1::date AND $2::date ORDER BY day DESC, tea;

-- name: shelf
SELECT DISTINCT tea FROM drunk WHERE cups > 40 ORDER BY tea;

-- name: wrong
SELECT (1 / (count(*) - count(*)))::text AS tea FROM drunk;

-- name: writes
INSERT INTO drunk VALUES ('2026-01-01', 'x') RETURNING tea;
"""
SPAN = {"from": "2026-11-01", "until": "2026-11-03"}
CUPS = "/api/v1/reports/leaf/cups"


REFUSED = (
    ("leaf/cups?from=yesterday", 422, "write a day such as 2026-11-22"),
    ("leaf/cups?from=2026-11-03&until=2026-11-01", 422, "swap them"),
    ("leaf/cups?from=1950-11-03&until=2026-11-01", 422, "choose fewer"),
    ("leaf/cups.csv?until=2026-13-01", 422, "until"),
    ("leaf/cup", 404, "leaf has no report 'cup'; did you mean 'cups'?"),
    ("leave/cups", 404, "no suite 'leave' has reports; did you mean 'leaf'?"),
    ("leaf/wrong", 500, "leaf/wrong cannot be read: DivisionByZeroError: division by zero"),
    ("leaf/missing", 500, "reports.sql:shelf: there is no column day"),
    ("leaf/writes", 500, "cannot execute INSERT in a read-only transaction"),
    ("leaf/writes.csv", 500, "read-only"),
)
"""Below /api/v1/reports: what is asked, the status, and words of the answer."""


async def steep(_ctx: Any) -> None:
    """Nothing."""


BREW = a_job(steep, Cron("0 3 * * *", "UTC"), "leaf.brew")


@pytest.fixture
def built(tmp_path: Path) -> Iterator[House]:
    with suites(tmp_path) as made:
        made.job("leaf/brew.py")
        made.write("leaf/reports.py", DECLARED)
        made.write("leaf/reports.sql", SQL)
        yield made


@pytest.fixture
async def drunk(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "CREATE SCHEMA leaf; CREATE TABLE leaf.drunk (day date, tea text, cups int, coin text, takings numeric)"
    )
    await connection.executemany(
        "INSERT INTO leaf.drunk VALUES (date '2026-11-01' + $1::int, $2, $3, $4, $5::text::numeric)",
        [(0, "Assam", 12, "EUR", "41.500"), (1, "Assam", 1400, "JPY", "4900.00"),
         (1, '=2+2, "hot"', None, "KWD", "-0.5"), (2, "<i>Oolong</i>", 3, "EUR", None), (40, "later", 1, "EUR", "1")],
    )  # fmt: skip


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


async def test_a_report_is_rows_with_exact_figures_and_units(url: str, built: House, drunk: None) -> None:
    async with house(url, BREW, packages={"leaf": built.suite("leaf")}) as h:
        listed = good(await h.viewer.get("/api/v1/reports", params={"suite": "leaf"}))
        assert [(r["name"], r["days"], r["made_by"]) for r in listed][:2] == [
            ("cups", 7, "leaf.brew"), ("shelf", None, "leaf.brew"),
        ]  # fmt: skip
        answer = await h.viewer.get(CUPS, params=SPAN)
        told = good(answer)
        assert (told["from"], told["until"], told["more"]) == ("2026-11-01", "2026-11-03", False)
        assert told["columns"][4] == {"name": "takings", "title": "Takings", "unit": "money", "currency": "coin"}
        assert told["rows"][1] == {
            "day": "2026-11-02",
            "tea": '=2+2, "hot"',
            "cups": None,
            "coin": "KWD",
            "takings": "-0.5",
        }
        assert (told["as_of"], told["next_at"][11:]) == (None, "03:00:00Z")
        again = await h.viewer.get(CUPS, params=SPAN, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert good(await h.viewer.get("/api/v1/reports/leaf/shelf", params=SPAN))["from"] is None


async def test_the_csv_has_the_cells_of_the_table(url: str, built: House, drunk: None) -> None:
    async with house(url, BREW, packages={"leaf": built.suite("leaf")}) as h:
        answer = await h.viewer.get(f"{CUPS}.csv", params=SPAN)
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="leaf-cups-2026-11-01-2026-11-03.csv"'
        heads, *lines = csv.reader(io.StringIO(answer.text, newline=""))
        page = (await h.viewer.get("/reports/leaf", params=SPAN)).text
        section = page.partition('<section id="cups"')[2].partition("</section>")[0]
        assert heads == [unescape(text) for text in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', section)]
        rows = [
            re.findall(r'<data value="(.*?)">', row, re.DOTALL) for row in re.findall(r"<tr>(.*?)</tr>", section)[1:]
        ]
        assert len(rows) == 4
        assert lines == [[guarded(unescape(cell)) for cell in row] for row in rows]
        assert lines[1] == ["2026-11-02", """'=2+2, "hot\"""", "", "KWD", "-0.500"]
        assert lines[2] == ["2026-11-02", "Assam", "1400", "JPY", "4900"]


def guarded(text: str) -> str:
    return f"'{text}" if text.startswith("=") else text


async def test_what_cannot_be_answered_is_a_problem_that_says_why(url: str, built: House, drunk: None) -> None:
    async with house(url, BREW, packages={"leaf": built.suite("leaf")}) as h:
        for path, status, said in REFUSED:
            answer = await h.viewer.get(f"/api/v1/reports/{path}")
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path
            assert said in answer.json()["detail"], path


async def test_a_report_that_fails_says_so_in_its_place_and_the_others_stay(
    url: str, built: House, drunk: None, connection: asyncpg.Connection
) -> None:
    at = datetime(2026, 11, 3, 3, tzinfo=UTC)
    run = await add_run(connection, BREW, "succeeded", due_at=at, started_at=at, finished_at=at + timedelta(minutes=7))
    async with house(url, BREW, packages={"leaf": built.suite("leaf")}) as h:
        page = await h.viewer.get("/reports", params=SPAN)
        assert page.status_code == 200
        sections = dict(re.findall(r'<section id="(\w+)"(.*?)</section>', page.text, re.DOTALL))
        assert list(sections) == ["cups", "shelf", "wrong", "missing", "unset", "writes"]
        assert "&lt;i&gt;Oolong&lt;/i&gt;" in sections["cups"]
        assert 'aria-label="Cups: 3 lines from 2026-11-01 to 2026-11-03' in sections["cups"]
        assert f'<a href="/runs/{run}">' in sections["cups"]
        assert "2026-11-03 03:07:00" in sections["cups"]
        assert f'href="{CUPS}.csv?from=2026-11-01&amp;until=2026-11-03"' in sections["cups"]
        assert "division by zero" in sections["wrong"]
        assert "there is no column day" in sections["missing"]
        assert "the suite has no setting least" in sections["unset"]
        assert "read-only transaction" in sections["writes"]
        assert "leaf.wash, which is not among the jobs here" in sections["writes"]
        assert good(await h.viewer.get(CUPS, params=SPAN))["as_of"]["run"] == run
    assert await connection.fetchval("SELECT count(*) FROM leaf.drunk WHERE tea = 'x'") == 0


async def test_a_page_is_drawn_beside_the_loop_that_the_work_shares(
    url: str, built: House, drunk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[threading.Thread] = set()

    def drawing(report: Report, rows: Any) -> Any:
        threads.add(threading.current_thread())
        return drawn(report, rows)

    monkeypatch.setattr(report_page, "drawn", drawing)
    async with house(url, BREW, packages={"leaf": built.suite("leaf")}) as h:
        assert (await h.viewer.get("/reports", params=SPAN)).status_code == 200
    assert threads
    assert threading.current_thread() not in threads


async def test_an_empty_report_says_what_will_write_it_and_when(url: str, built: House, drunk: None) -> None:
    async with house(url, BREW, packages={"leaf": built.suite("leaf")}) as h:
        page = (await h.viewer.get("/reports/leaf?from=2020-01-01&until=2020-02-01")).text
        words = re.sub(r"<[^>]+>", "", page)
        assert "Nothing from 2020-01-01 to 2020-02-01. leaf.brew writes it, next at" in words
        assert "leaf.brew has not succeeded yet" in words
        assert (await h.viewer.get("/reports/oak")).status_code == 404
        assert (await h.viewer.get("/reports/leaf?from=soon", headers={"Accept": "text/html"})).status_code == 422


async def test_without_reports_the_page_says_so(url: str) -> None:
    async with house(url) as h:
        assert "None of the enabled suites brings reports." in (await h.viewer.get("/reports")).text
        assert good(await h.viewer.get("/api/v1/reports")) == []


async def test_a_report_that_takes_too_long_is_ended_and_the_connection_goes_on(connection: asyncpg.Connection) -> None:
    await connection.execute("SET statement_timeout = '100ms'")
    slow = Statement("slow", "SELECT pg_sleep(60)::text AS tea", "reports.sql:slow")
    report = Report("Slow", "It sleeps.", slow, "brew", (Column("tea", "Tea", Unit.TEXT),), days=None)
    with pytest.raises(ReportTooSlow, match="choose fewer days"):
        await read(connection, "sexton", report, None, None, 10)
    assert await connection.fetchval("SELECT 1") == 1


async def test_no_more_rows_are_fetched_than_asked_for(connection: asyncpg.Connection) -> None:
    many = Statement("many", "SELECT n AS cups FROM generate_series(1, 1000) n", "reports.sql:many")
    report = Report("Many", "Numbers.", many, "brew", (Column("cups", "Cups", Unit.COUNT),), days=None)
    found = await read(connection, "sexton", report, None, None, 10)
    assert ([row["cups"] for row in found.rows], found.more) == (list(range(1, 11)), True)
    assert not (await read(connection, "sexton", report, None, None, 1000)).more
