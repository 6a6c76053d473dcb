"""The rows of a report: read on its suite's schema, of one snapshot, within bounds; and by whom they were made."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from daemon import in_force, sql
from daemon.admin.database import READ_TIMEOUT
from daemon.admin.reports.chosen import Days
from daemon.admin.state import AdminState
from daemon.database import means_lost
from daemon.report import DATES, FIGURES, Report, Unit

LOOK_AT, LAST_SUCCESS = sql.load(__file__, "look_at", "last_success")
LOG = logging.getLogger("sexton.admin")

NUMBERS = frozenset({"int2", "int4", "int8", "numeric"})
TYPES: Mapping[Unit, frozenset[str]] = {
    **dict.fromkeys((Unit.COUNT, Unit.MONEY), NUMBERS),
    **dict.fromkeys(FIGURES - {Unit.COUNT, Unit.MONEY}, NUMBERS | {"float4", "float8"}),
    **dict.fromkeys(DATES, frozenset({"date"})),
    Unit.INSTANT: frozenset({"timestamptz"}),
    Unit.YES_NO: frozenset({"bool"}),
    Unit.TEXT: frozenset({"text", "varchar", "bpchar", "name"}),
}
"""What PostgreSQL calls the types that values of a unit may have."""

Rows = Sequence[Mapping[str, Any]]


class ReportFailed(Exception):
    """The statement of a report was refused or gave other columns; the words are for people."""


class ReportTooSlow(ReportFailed):
    """It took longer than a question may."""


@dataclass(frozen=True, slots=True)
class Found:
    """`rows` in the statement's order; `more`: there are more than were asked for."""

    rows: Rows
    more: bool = False


@dataclass(frozen=True, slots=True)
class Maker:
    """The job that writes what a report reads. `run`, `made_at`: its last success; `next_at`: when it is due next.

    `how` is its schedule in words, or why it is not due at all.
    """

    job: str
    known: bool
    run: int | None = None
    made_at: datetime | None = None
    next_at: datetime | None = None
    how: str = ""


async def read(
    connection: asyncpg.Connection, suite: str, report: Report, days: Days | None, settings: object, most: int
) -> Found:
    """At most `most` rows. Raises `ReportFailed` and `ReportTooSlow`, after which the connection goes on."""
    if unknown := [name for name in report.settings if not hasattr(settings, name)]:
        raise ReportFailed(f"the suite has no setting {', '.join(unknown)}")
    args = [*((days.first, days.last) if days else ()), *(getattr(settings, name) for name in report.settings)]
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(LOOK_AT.text, f'"{suite}"')
            prepared = await connection.prepare(report.statement.text)
            given = {attribute.name: attribute.type.name for attribute in prepared.get_attributes()}
            if wrong := list(_wrong(report, given)):
                raise ReportFailed(f"{report.statement.place}: {'; '.join(wrong)}")
            rows = await (await prepared.cursor(*args)).fetch(most + 1)
    except asyncpg.QueryCanceledError as error:
        raise ReportTooSlow(f"it took longer than {READ_TIMEOUT:g} s: choose fewer days") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if means_lost(error):
            raise
        LOG.warning("%s cannot be read: %s", report.statement.place, error, extra={"area": "ADMIN"})
        raise ReportFailed(f"{type(error).__name__}: {error}") from error
    return Found([dict(row) for row in rows[:most]], more=len(rows) > most)


def _wrong(report: Report, given: Mapping[str, str]) -> Iterator[str]:
    """`given`: what the statement gives, with types. Otherwise a cell could not be written, nor a picture drawn."""
    for column in report.columns:
        if column.name not in given:
            yield f"there is no column {column.name}"
        elif given[column.name] not in TYPES[column.unit]:
            yield f"column {column.name} is {given[column.name]}, and {column.unit} is not"


async def makers(state: AdminState, connection: asyncpg.Connection, jobs: Sequence[str]) -> dict[str, Maker]:
    """What is known of these jobs, by their names; of those that this node does not have, that."""
    here = [name for name in dict.fromkeys(jobs) if name in state.catalogue.jobs]
    now = state.engine.clock.now()
    known = await in_force.read(connection, state.catalogue, LOG.warning, only=here)
    successes = {row["job"]: row for row in await connection.fetch(LAST_SUCCESS.text, here)}
    found = {name: Maker(name, known=False) for name in jobs}
    for name, job in known.jobs.items():
        coming = in_force.upcoming(job, now, 1)
        success = successes.get(name)
        found[name] = Maker(
            name, True, success["id"] if success else None, success["finished_at"] if success else None,
            coming[0].at if coming and name not in known.paused else None,
            "disabled" if not job.enabled else "paused" if name in known.paused else in_force.schedule_words(job),
        )  # fmt: skip
    return found
