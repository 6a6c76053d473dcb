"""What the schema itself refuses, and that code of today runs on the schema of the migrations."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from daemon import migrate
from tests.conftest import SUITES
from tests.databases import Databases

CUSTOMER = "INSERT INTO flights.customer (code, name, contract_start{more}) VALUES ('X', 'X', '2018-01-01'{values})"
RATE = (
    "INSERT INTO flights.unit_rate (zone_id, kind, rate, currency, valid, exponent, charged_on, source) "
    "VALUES (1, '{kind}', {rate}, 'EUR', '{valid}', {exponent}, {charged_on}, 'test')"
)


def a_rate(valid: str, kind: str = "ENROUTE", rate: str = "70") -> str:
    terminal = {"exponent": "0.7", "charged_on": "'LANDING'"}
    chosen = terminal if kind == "TERMINAL" else dict.fromkeys(terminal, "NULL")
    return RATE.format(kind=kind, rate=rate, valid=valid, **chosen)


@pytest.fixture(scope="module")
async def lent(seeded_databases: Databases) -> AsyncIterator[str]:
    async with seeded_databases.lent() as url:
        yield url


@pytest.fixture
async def database(lent: str) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that is rolled back: one database serves all these tests."""
    connection = await asyncpg.connect(lent)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("TRUNCATE flights.customer, flights.charging_zone CASCADE")
    await connection.execute(CUSTOMER.format(more=", id", values=", 7"))
    await connection.execute("INSERT INTO flights.charging_zone (id, code, name) VALUES (1, 'ED', 'D'), (2, 'LF', 'F')")
    await connection.execute(a_rate("[2018-01-01,2019-01-01)"))
    yield connection
    await transaction.rollback()
    await connection.close()


async def test_migrating_again_changes_nothing(connection: asyncpg.Connection) -> None:
    assert not await migrate.migrate(connection, [*migrate.engine_migrations(), *migrate.suite_migrations(SUITES)])


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (CUSTOMER.format(more=", tz", values=", 'Mars/Base'"), "time zone"),
        (CUSTOMER.format(more=", currency", values=", 'JPY'"), "currency_check"),
        (CUSTOMER.format(more=", currency", values=", 'eur'"), "currency_check"),
        (CUSTOMER.format(more=", contract_end", values=", '2017-12-31'"), "check"),
        (CUSTOMER.format(more=", terms_days", values=", -1"), "terms_days"),
        ("INSERT INTO flights.billing_cycle VALUES (7, '2018-01-01', 'WEEKLY', NULL)", "check"),
        ("INSERT INTO flights.billing_cycle VALUES (7, '2018-01-01', 'MONTHLY', 1)", "check"),
        ("INSERT INTO flights.billing_cycle VALUES (7, '2018-01-01', 'WEEKLY', 8)", "week_end_isodow"),
        ("INSERT INTO flights.aircraft (reg, type, mtow_t) VALUES ('X', 'A320', 0)", "mtow_t"),
        ("INSERT INTO flights.fir VALUES ('EDGG', 'L', 1, '{\"type\": \"Point\"}', 't')", "geometry"),
        (a_rate("[2018-06-01,2020-01-01)"), "one_enroute_rate"),
        (a_rate("[2019-01-01,2020-01-01)", rate="-1"), "rate"),
        (a_rate("empty"), "valid"),
        (a_rate("[2019-01-01,)", "TERMINAL").replace("0.7", "NULL"), "check"),
    ],
)
async def test_nonsense_is_refused(database: asyncpg.Connection, statement: str, error: str) -> None:
    with pytest.raises(asyncpg.PostgresError, match=error):
        await database.execute(statement)


async def test_rates_may_meet_and_a_terminal_rate_stands_beside_an_en_route_one(database: asyncpg.Connection) -> None:
    await database.execute(a_rate("[2019-01-01,2020-01-01)"))
    await database.execute(a_rate("[2018-01-01,2019-01-01)", "TERMINAL"))
    await database.execute(a_rate("[2018-06-01,)").replace("(1,", "(2,"))
    assert await database.fetchval("SELECT count(*) FROM flights.unit_rate") == 4


@pytest.mark.parametrize(
    ("statement", "zones", "rates"),
    [
        ("UPDATE flights.unit_rate SET rate = 71", 0, 1), ("DELETE FROM flights.unit_rate", 0, 1),
        ("UPDATE flights.charging_zone SET name = 'D'", 1, 1), ("TRUNCATE flights.fir", 1, 0),
    ],
)  # fmt: skip
async def test_workers_are_told_when_reference_data_changes(
    database: asyncpg.Connection, statement: str, zones: int, rates: int
) -> None:
    query = "SELECT name, version FROM flights.reference_version"
    before = dict(await database.fetch(query))
    await database.execute(statement)
    after = dict(await database.fetch(query))
    assert {name: after[name] - before[name] for name in after} == {"zones": zones, "rates": rates}
