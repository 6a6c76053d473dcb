"""The reports that suites declare: `reports.py` of each, found and checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from pydantic import BaseModel

from daemon.report import Report
from daemon.suite_module import declared

FILE = "reports"
NAME = re.compile(r"[a-z][a-z0-9_]*")

Reports = Mapping[str, Mapping[str, Report]]
"""Suite → name → report, in the order they are declared in."""


def read(packages: Mapping[str, str], problems: list[str]) -> dict[str, dict[str, Report]]:
    """Suite → its reports; `packages` is suite → import name. What is wrong goes to `problems`, a sentence each."""
    found = {suite: _declared(package, problems) for suite, package in packages.items()}
    return {suite: reports for suite, reports in found.items() if reports}


def check(
    reports: Reports, jobs: Container[str], settings: Mapping[str, BaseModel | None], packages: Mapping[str, str]
) -> list[str]:
    """A sentence for each job and each setting that a report names and that its suite does not have."""
    wrong = []
    for suite, of_suite in reports.items():
        for name, report in of_suite.items():
            place = f"{packages[suite]}.{FILE}: {name}"
            if f"{suite}.{report.made_by}" not in jobs:
                wrong.append(f"{place}: there is no job {suite}.{report.made_by}")
            wrong += [
                f"{place}: the suite has no setting {key}"
                for key in report.settings
                if not hasattr(settings.get(suite), key)
            ]
    return wrong


def _declared(package: str, problems: list[str]) -> dict[str, Report]:
    found = declared(package, FILE, Report, problems)
    problems += [f"{package}.{FILE}: {key} is no name for a report; write one such as active_people" for key in found
                 if not NAME.fullmatch(key)]  # fmt: skip
    return found
