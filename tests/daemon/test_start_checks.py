"""What suites want to be true of their tables before anything runs."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from daemon import start_checks
from tests.daemon.suites import house

CHECKS = """-- name: too_big
SELECT format('thing %s is %s: make it smaller', id, size) FROM thing WHERE size > 9 ORDER BY id
"""


async def test_each_row_is_a_sentence_that_names_its_suite_and_many_are_counted(
    tmp_path: Path, connection: asyncpg.Connection
) -> None:
    await connection.execute("CREATE SCHEMA shop; CREATE TABLE shop.thing AS SELECT n AS id, n AS size "
                             "FROM generate_series(1, 12) n")  # fmt: skip
    with house(tmp_path) as built:
        built.job("shop/tidy.py")
        built.write("shop/start_checks.sql", CHECKS)
        packages = {"shop": built.suite("shop")}
        found = await start_checks.problems(connection, packages)
        assert found == [f"shop: thing {n} is {n}: make it smaller" for n in (10, 11, 12)]
        await connection.execute("INSERT INTO shop.thing SELECT n, n FROM generate_series(13, 20) n")
        found = await start_checks.problems(connection, packages)
        assert (len(found), found[-1]) == (start_checks.MOST_TOLD + 1, "shop: and 6 more that too big")
        await connection.execute("DELETE FROM shop.thing WHERE size > 9")
        assert await start_checks.problems(connection, packages) == []


async def test_a_suite_without_checks_has_nothing_to_say(tmp_path: Path, connection: asyncpg.Connection) -> None:
    with house(tmp_path) as built:
        built.job("shop/tidy.py")
        assert await start_checks.problems(connection, {"shop": built.suite("shop")}) == []


async def test_a_check_can_change_nothing(tmp_path: Path, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA shop; CREATE TABLE shop.thing (id int)")
    with house(tmp_path) as built:
        built.job("shop/tidy.py")
        built.write("shop/start_checks.sql", "-- name: sly\nINSERT INTO thing VALUES (1) RETURNING 'no'")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await start_checks.problems(connection, {"shop": built.suite("shop")})
