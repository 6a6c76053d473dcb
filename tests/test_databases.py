"""The databases that tests are lent are like new each time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.databases import FORM, Databases

A_ROW = (
    "INSERT INTO sexton.audit (who, origin, action, target)"
    " SELECT 'ann', 'here', 'tested', repeat('x', 100) FROM generate_series(1, $1)"
)
ALTER_DATABASE = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {}', current_database()); END $$"


@asynccontextmanager
async def lent_after(
    databases: Databases, *statements: str, rows: int = 0
) -> AsyncIterator[tuple[asyncpg.Connection, bool]]:
    """A connection to the database that is lent next, and whether it is the one that was used."""
    async with databases.lent() as first:
        connection = await asyncpg.connect(first)
        await connection.execute(A_ROW, rows)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()
    async with databases.lent() as second:
        connection = await asyncpg.connect(second)
        yield connection, first == second
        await connection.close()


@pytest.mark.parametrize("rows", [1, 5000])
async def test_rows_are_gone_and_numbers_start_again(databases: Databases, rows: int) -> None:
    async with lent_after(databases, "DELETE FROM sexton.migration", rows=rows) as (connection, same):
        assert same
        assert await connection.fetchval("SELECT count(*) FROM sexton.audit") == 0
        assert await connection.fetchval("SELECT count(*) FROM sexton.migration") > 0
        await connection.execute(A_ROW, 1)
        assert await connection.fetchval("SELECT id FROM sexton.audit") == 1


@pytest.mark.parametrize(
    "statements",
    [
        ("UPDATE tutoring.ai_provider SET base_url = base_url || '/v2'",),
        ("DELETE FROM tutoring.ai_provider",),
        ("TRUNCATE tutoring.ai_provider CASCADE",),
        ("BEGIN", "DELETE FROM tutoring.ai_provider", "ROLLBACK"),
        ("DELETE FROM tutoring.ai_provider", "SELECT pg_stat_reset()"),
        ("CREATE TEMP TABLE mine (id int)", "DELETE FROM tutoring.ai_provider"),
    ],
)
async def test_rows_of_migrations_are_as_they_were(databases: Databases, statements: tuple[str, ...]) -> None:
    everything = "SELECT array_agg(p::text ORDER BY p::text) FROM tutoring.ai_provider p"
    async with databases.lent() as url:
        connection = await asyncpg.connect(url)
        before = await connection.fetchval(everything)
        await connection.close()
    async with lent_after(databases, *statements) as (connection, same):
        assert same
        assert await connection.fetchval(everything) == before


async def test_a_connection_that_was_broken_off_has_its_rows_taken_away_too(databases: Databases) -> None:
    async with databases.lent() as first:
        connection, other = await asyncpg.connect(first), await asyncpg.connect(first)
        await connection.execute(A_ROW, 1)
        await other.fetchval("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        await other.close()
        connection.terminate()
    async with databases.lent() as second:
        connection = await asyncpg.connect(second)
        assert await connection.fetchval("SELECT count(*) FROM sexton.audit") == 0
        await connection.close()


async def test_a_schema_of_the_test_is_gone(databases: Databases) -> None:
    async with lent_after(databases, "CREATE SCHEMA house", "CREATE TABLE house.todo (id int)") as (connection, same):
        assert same
        assert await connection.fetchval("SELECT to_regnamespace('house')") is None


async def test_one_that_was_changed_otherwise_is_not_lent_again(databases: Databases) -> None:
    async with lent_after(databases, "DROP TABLE sexton.audit CASCADE") as (connection, same):
        assert not same
        assert await connection.fetchval("SELECT count(*) FROM sexton.audit") == 0


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE sexton.audit ADD COLUMN more int",
        "ALTER TABLE sexton.event DISABLE TRIGGER ALL",
        "CREATE INDEX ON sexton.audit (who)",
        "CREATE TABLE public.mine (id int)",
        "REVOKE ALL ON sexton.audit FROM CURRENT_USER",
        "ALTER TABLE sexton.run SET (fillfactor = 50)",
        "ANALYZE sexton.migration",
        "CREATE FUNCTION sexton.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT lo_create(0)",
        ALTER_DATABASE.format("SET work_mem = 8192"),
        ALTER_DATABASE.format("CONNECTION LIMIT 3"),
    ],
)
async def test_every_change_of_the_catalogue_shows_in_its_form(connection: asyncpg.Connection, change: str) -> None:
    before = await connection.fetchval(FORM.text)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(change)
    assert await connection.fetchval(FORM.text) != before
    await transaction.rollback()
    assert await connection.fetchval(FORM.text) == before


async def test_one_that_somebody_still_uses_is_not_lent_again(databases: Databases) -> None:
    async with databases.lent() as first:
        left = await asyncpg.connect(first)
    async with databases.lent() as second:
        assert first != second
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await left.fetchval("SELECT 1")
    await left.close()
