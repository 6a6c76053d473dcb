"""Metrics of suites: found in their files, read for whoever scrapes, and harmless to the others when wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from daemon import suite_gauges
from daemon.census import Census, census_of
from daemon.events import Note
from tests.daemon.harness import node
from tests.daemon.suites import House, house
from tests.daemon.test_census import serves_metrics, shown

GAUGES = """
-- name: cups
-- Cups on the shelf,
-- by size
SELECT size, count(*) AS value FROM cup GROUP BY size;

-- name: gone
SELECT 1 AS value FROM nothing_there;

-- name: total
SELECT sum(1) AS value FROM cup;

-- name: odd
SELECT 'many' AS value;
"""


@pytest.fixture
def built(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        made.job("leaf/brew.py")
        made.job("plain/brew.py")
        made.write("leaf/gauges.sql", GAUGES)
        yield made


def test_they_are_found_by_suite_with_what_they_mean(built: House) -> None:
    found = suite_gauges.load({name: built.suite(name) for name in ("leaf", "plain")})
    assert [gauge.name for gauge in found] == [f"sexton_leaf_{name}" for name in ("cups", "gone", "total", "odd")]
    assert [gauge.text for gauge in found][:2] == ["Cups on the shelf, by size", "sexton_leaf_gone"]


async def test_they_are_told_beside_ours_and_a_wrong_one_costs_no_other(
    url: str, built: House, connection: asyncpg.Connection
) -> None:
    await connection.execute("CREATE SCHEMA leaf; CREATE TABLE leaf.cup (size text)")
    await connection.execute("INSERT INTO leaf.cup VALUES ('small'), ('small'), ('large'), (NULL)")
    async with node(url) as n:
        await serves_metrics(n)
        census: Census = census_of(n.engine, n.hear)
        census.gauges = suite_gauges.load({"leaf": built.suite("leaf")})
        await census.take()
        assert shown(census, "sexton_leaf_cups", size="small") == 2
        assert shown(census, "sexton_leaf_cups", size="") == 1
        assert shown(census, "sexton_leaf_total") == 4
        assert shown(census, "sexton_tells_of_tables") == 1
        complaints = [event.text for event in n.events if isinstance(event, Note)]
        assert any("sexton_leaf_gone cannot be read: UndefinedTableError" in text for text in complaints)
        assert any("sexton_leaf_odd cannot be read: ValueError" in text for text in complaints)
        assert census.failures == 1
