"""Schema history: forward only, once, in order, one at a time; an applied file is never edited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from daemon import migrate
from daemon.migrate import MigrationError, in_folder
from tests.daemon.harness import rows
from tests.daemon.suites import house

HISTORY = "SELECT version, name FROM sexton.migration WHERE suite = 'tea' ORDER BY applied_at"


@pytest.fixture
async def empty(server: str, url: str) -> AsyncIterator[asyncpg.Connection]:
    """A database that Sexton has never seen."""
    admin = await asyncpg.connect(server)
    await admin.execute("DROP DATABASE IF EXISTS never_seen WITH (FORCE); ")
    await admin.execute("CREATE DATABASE never_seen TEMPLATE template0")
    opened = await asyncpg.connect(server, database="never_seen")
    yield opened
    await opened.close()
    await admin.execute("DROP DATABASE never_seen WITH (FORCE)")
    await admin.close()


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name.removeprefix('_')}.sql").write_text(text, encoding="utf-8")
    return folder


CUPS = {"_0001_cups": "CREATE TABLE tea.cup (n int);", "_0002_more": "ALTER TABLE tea.cup ADD at timestamptz;"}


async def test_a_fresh_database_gets_every_file_once_and_in_order(empty: asyncpg.Connection, tmp_path: Path) -> None:
    wanted = [*migrate.engine_migrations(), *in_folder("tea", write(tmp_path, **CUPS))]
    assert [str(m) for m in await migrate.migrate(empty, wanted)][-2:] == ["tea 0001_cups", "tea 0002_more"]
    assert await migrate.migrate(empty, wanted) == []
    assert await rows(empty, HISTORY) == [{"version": 1, "name": "cups"}, {"version": 2, "name": "more"}]
    assert await empty.fetchval("SELECT count(*) FROM sexton.run") == 0


async def test_two_that_start_at_once_apply_each_file_once(server: str, url: str, tmp_path: Path) -> None:
    wanted = in_folder("tea", write(tmp_path, **CUPS))
    several = [await asyncpg.connect(url) for _ in range(4)]
    applied = await asyncio.gather(*(migrate.migrate(c, wanted) for c in several))
    assert sorted(len(a) for a in applied) == [0, 0, 0, 2]
    for c in several:
        await c.close()


async def test_an_edited_file_stops_the_start_and_is_named(connection: asyncpg.Connection, tmp_path: Path) -> None:
    await migrate.migrate(connection, in_folder("tea", write(tmp_path, **CUPS)))
    write(tmp_path, _0001_cups="CREATE TABLE tea.cup (n bigint);", _0003_new="CREATE TABLE tea.pot (n int);")
    with pytest.raises(MigrationError, match="was applied with other contents") as caught:
        await migrate.migrate(connection, in_folder("tea", tmp_path))
    assert str(tmp_path / "0001_cups.sql") in str(caught.value)
    assert len(await rows(connection, HISTORY)) == 2
    write(tmp_path, **CUPS)
    assert len(await migrate.migrate(connection, in_folder("tea", tmp_path))) == 1


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["0001_a", "0003_c"], "expected number 0002; migrations are numbered without gaps"),
        (["0002_b"], "expected number 0001"),
        (["0001_a", "0001_b"], "0001_b.sql: expected number 0002"),
        (["0001_a", "notes"], "notes.sql: a migration is called like 0001_what_it_does.sql"),
        (["1_a"], "a migration is called like"),
        (["0001_Big"], "a migration is called like"),
    ],
)
def test_a_folder_with_a_gap_a_double_or_a_stray_file_is_refused(tmp_path: Path, files: list[str], said: str) -> None:
    with pytest.raises(MigrationError, match=said):
        in_folder("tea", write(tmp_path, **{f"_{name}": "SELECT 1" for name in files}))


async def test_a_file_that_fails_leaves_nothing_and_names_its_line(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    text = "CREATE TABLE tea.pot (n int);\n\nCREATE TABLE tea.lid (\n    n nonsense_type\n);\n"
    wanted = in_folder("tea", write(tmp_path, _0001_cups=CUPS["_0001_cups"], _0002_bad=text))
    with pytest.raises(MigrationError, match=r"0002_bad\.sql:4: type \"nonsense_type\" does not exist"):
        await migrate.migrate(connection, wanted)
    assert await rows(connection, HISTORY) == [{"version": 1, "name": "cups"}]
    assert await connection.fetchval("SELECT to_regclass('tea.pot')") is None
    again = await asyncio.wait_for(migrate.migrate(connection, wanted[:1]), 60)
    assert again == []


async def test_what_a_file_does_not_qualify_is_made_in_its_suites_schema(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await migrate.migrate(connection, in_folder("tea", write(tmp_path, _0001_cups="CREATE TABLE cup (n int);")))
    assert await connection.fetchval("SELECT to_regclass('tea.cup') IS NOT NULL AND to_regclass('public.cup') IS NULL")
    assert await connection.fetchval("SHOW search_path") == '"$user", public'


async def test_a_suite_may_not_be_called_what_no_schema_is(connection: asyncpg.Connection, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="cannot be a schema's name"):
        await migrate.migrate(connection, in_folder('tea"; DROP', write(tmp_path, _0001_a="SELECT 1")))


def test_suites_bring_their_own_migrations_and_may_have_none(tmp_path: Path) -> None:
    with house(tmp_path) as h:
        h.job("tea/brew.py")
        h.job("coffee/grind.py")
        h.write("tea/migrations/0001_cups.sql", "SELECT 1").with_name("__init__.py").unlink(missing_ok=True)
        packages = {"tea": h.suite("tea"), "coffee": h.suite("coffee")}
        assert [str(m) for m in migrate.suite_migrations(packages)] == ["tea 0001_cups"]


async def test_code_works_on_a_schema_one_version_newer(connection: asyncpg.Connection, tmp_path: Path) -> None:
    """Expand, then contract: what a newer version has added is not this version's business."""
    here = migrate.engine_migrations()
    newer = write(tmp_path, **{f"_{m.path.stem}": m.text for m in here})
    (newer / f"{len(here) + 1:04d}_newer.sql").write_text(
        "ALTER TABLE sexton.run ADD colour text NOT NULL DEFAULT 'red';"
        "ALTER TABLE sexton.job ADD colour text; ALTER TABLE sexton.node ADD colour text; CREATE TABLE sexton.tint ();",
        encoding="utf-8",
    )
    assert len(await migrate.migrate(connection, in_folder("sexton", newer))) == 1
    assert await migrate.migrate(connection, here) == []
    from tests.daemon.test_statements import FILES, sql

    for path in (p for p in FILES if p.parent.name == "daemon"):
        await connection.execute("SET search_path = sexton, pg_catalog")
        for named in sql.parse(path).values():
            await connection.prepare(named.text)
