"""Every named statement is PREPAREd against the migrated schema, so that a typo never waits for its day."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from daemon import sql
from daemon.queue import STATEMENTS

ROOT = Path(__file__).parents[2]
WITH_A_SUITES_TABLE = {"queue.sql", "delivery_recipients.sql", "seed.sql", "tally.sql", "adoption_rows.sql"}
OF_SEVERAL_TABLES = {
    "rollups.sql": {"rollup": "metric_weekly", "start": "week_start"},
    "data_cleanup.sql": {"table": "metric_daily", "column": "day"},
}
"""Whose statements name a table in braces, and one that they are for."""
FILES = [
    path
    for folder in ("daemon", "workers")
    for path in sorted((ROOT / folder).rglob("*.sql"))
    if path.parent.name != "migrations" and path.name not in WITH_A_SUITES_TABLE
]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
async def test_every_statement_of_a_file_fits_the_schema(path: Path, connection: asyncpg.Connection) -> None:
    suite = path.relative_to(ROOT).parts[1] if "workers" in path.parts else "sexton"
    await connection.execute(f'SET search_path = "{suite}", pg_catalog')
    statements = sql.parse(path)
    assert statements
    for statement in statements.values():
        await connection.prepare(statement.on(**OF_SEVERAL_TABLES.get(path.name, {})).text)


async def test_the_queue_statements_fit_a_suites_queue_table(connection: asyncpg.Connection) -> None:
    for statement in STATEMENTS.values():
        await connection.prepare(statement.on(queue="flights.flight_processing_queue", key="flight_id").text)


async def test_the_tallys_statements_fit_a_suites_table(connection: asyncpg.Connection) -> None:
    await connection.execute("SET search_path = investment, pg_catalog")
    for statement in sql.parse(ROOT / "daemon/tally.sql").values():
        await connection.prepare(statement.text)
