"""A daemon does not start on levels that pay out more than the return, however they came into the table."""

from __future__ import annotations

import asyncpg

from daemon import start_checks

PACKAGES = {"investment": "workers.investment"}


async def test_levels_that_pay_out_more_than_the_return_stop_the_start(connection: asyncpg.Connection) -> None:
    assert await start_checks.problems(connection, PACKAGES) == []
    await connection.execute("ALTER TABLE investment.commission_level DISABLE TRIGGER at_most_the_return")
    await connection.execute(
        "INSERT INTO investment.commission_level VALUES (1, '[2026-01-01,)', 0.6), (2, '[2026-03-01,)', 0.5)"
    )
    (told,) = await start_checks.problems(connection, PACKAGES)
    assert "pay out 110.0000 % from 2026-03-01 on" in told
    assert "lower the rates" in told
