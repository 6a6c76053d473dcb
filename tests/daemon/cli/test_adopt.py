"""`sexton adopt`: what a suite needs of tables that are there already, in words and as a check."""

from __future__ import annotations

import asyncpg
import pytest

from tests.daemon.cli.console import Console


@pytest.fixture
def shop(sexton: Console) -> Console:
    """`sexton` with the suite jewellery, whose tables are in this test's database."""
    return Console({**sexton.environment, "SEXTON_SUITES": "workers.jewellery"}, sexton.capture, sexton.patch)


def test_without_check_it_lists_columns_and_privileges(shop: Console) -> None:
    lines = shop("adopt", "jewellery").ok().out.splitlines()
    assert "jewellery.inventory_lock (key id)" in lines
    assert "    expires_at           timestamptz" in lines
    assert "GRANT SELECT, UPDATE (id), DELETE ON jewellery.inventory_lock TO the_daemons_role;" in lines
    assert "GRANT SELECT ON jewellery.order_item TO the_daemons_role;" in lines


async def test_a_database_that_has_everything_passes_the_check(shop: Console) -> None:
    done = (await shop.beside("adopt", "jewellery", "--check")).ok()
    assert done.out == "jewellery: 9 relations have the columns, types, keys and privileges that are needed\n"


async def test_what_is_missing_is_listed_and_the_check_fails(shop: Console, connection: asyncpg.Connection) -> None:
    await connection.execute("ALTER TABLE jewellery.product RENAME sku TO code; DROP TABLE jewellery.password_reset")
    done = await shop.beside("adopt", "jewellery", "--check")
    assert done.status == 1
    assert done.err.splitlines() == [
        "error: jewellery: 2 to put right, and nothing was changed",
        "jewellery.product has no column sku: add it to the view, as text, null if the shop has no such thing",
        "jewellery.password_reset is not there: create a view of that name, or migrate for the suite's own table",
    ]


def test_a_suite_with_tables_of_its_own_only_says_so(sexton: Console) -> None:
    done = sexton("adopt", "house")
    assert (done.status, done.err) == (
        1, "error: house keeps its data in tables of its own: house has no adoption.toml\n",
    )  # fmt: skip


def test_a_suite_that_is_not_there_is_bad_usage(shop: Console) -> None:
    done = shop("adopt", "jewelery")
    assert done.status == 2
    assert "there is no suite 'jewelery'" in done.err
    assert "jewellery" in done.err
