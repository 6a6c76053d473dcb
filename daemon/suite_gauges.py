"""Metrics of suites: named statements of a suite's `gauges.sql`, read when somebody scrapes."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from daemon import sql

(LOOK_AT,) = sql.load(__file__, "look_at")
FILE = "gauges.sql"
VALUE = "value"
MOST_SAMPLES = 1000
"""Of one gauge: more labels than that are ids, and no metric."""


@dataclass(frozen=True, slots=True)
class SuiteGauge:
    """`sexton_<suite>_<statement>`. The statement gives a row a sample: `value`, and each other column is a label."""

    suite: str
    statement: sql.Statement

    @property
    def name(self) -> str:
        return f"sexton_{self.suite}_{self.statement.name}"

    @property
    def text(self) -> str:
        """What it means: the comment that the statement begins with."""
        lines = self.statement.text.splitlines()
        said = [line.removeprefix("--").strip() for line in lines[: next(
            (n for n, line in enumerate(lines) if not line.startswith("--")), len(lines))]]  # fmt: skip
        return " ".join(said) or self.name


@dataclass(frozen=True, slots=True)
class Gauged:
    """A gauge with its samples, by the values of `labels`."""

    name: str
    text: str
    labels: tuple[str, ...]
    samples: Mapping[tuple[str, ...], float]


def load(packages: Mapping[str, str]) -> list[SuiteGauge]:
    """`packages`: suite → import name. Raises `ValueError` for a file with two statements of one name."""
    found: list[SuiteGauge] = []
    for suite, package in packages.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            file = Path(folder) / FILE
            if file.is_file():
                found += [SuiteGauge(suite, statement) for statement in sql.parse(file).values()]
    return found


async def read(connection: asyncpg.Connection, gauge: SuiteGauge) -> Gauged:
    """In a savepoint, on the suite's schema. Raises `asyncpg.PostgresError` and, for a value that is no number,
    `ValueError` or `TypeError`; the transaction goes on after either."""
    async with connection.transaction():
        await connection.execute(LOOK_AT.text, f'"{gauge.suite}"')
        rows: Sequence[asyncpg.Record] = await connection.fetch(gauge.statement.text)
        labels = tuple(name for name in rows[0].keys() if name != VALUE) if rows else ()  # noqa: SIM118 - a record
        samples = {
            tuple("" if row[name] is None else str(row[name]) for name in labels): float(row[VALUE])
            for row in rows[:MOST_SAMPLES]
            if row[VALUE] is not None
        }
    return Gauged(gauge.name, gauge.text, labels, samples)
