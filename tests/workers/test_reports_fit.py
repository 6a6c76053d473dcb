"""Every report of every suite is read on the migrated schema: its columns are there, of types that fit their units."""

from __future__ import annotations

from datetime import date

import asyncpg

from daemon import catalogue, suite_reports
from daemon.admin.reports.chosen import chosen
from daemon.admin.reports.drawing import Drawing, drawn
from daemon.admin.reports.reading import read
from daemon.settings import DatabaseSettings, Settings
from tests.conftest import SUITES

TODAY = date(2026, 11, 26)


async def test_every_report_can_be_read_and_names_a_job_and_settings_that_are_there(
    connection: asyncpg.Connection,
) -> None:
    real = catalogue.load(Settings(suites=tuple(SUITES.values()), database=DatabaseSettings(url="postgresql:///")))
    problems: list[str] = []
    reports = suite_reports.read(real.packages, problems)
    assert [*problems, *suite_reports.check(reports, real.jobs, real.settings, real.packages)] == []
    assert set(reports) == set(SUITES)
    for suite, of_suite in reports.items():
        for name, report in of_suite.items():
            days = chosen(report, None, None, TODAY)
            found = await read(connection, suite, report, days, real.settings[suite], 100)
            if name != "limits":  # of every provider there is a row from the beginning
                assert found.rows == [], f"{suite}/{name}"
                assert drawn(report, found.rows) == Drawing()
