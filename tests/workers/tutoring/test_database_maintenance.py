"""Each table of the suite is cleaned, its indexes rebuilt; what is in use is left alone, and nothing is left over."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import pytest

from daemon import Reader
from tests.workers.tutoring.school import School
from workers.tutoring import database_maintenance as module
from workers.tutoring.database_maintenance import UNDER_WAY, Skipped, database_maintenance

SATURDAY = datetime(2026, 11, 28, 2, tzinfo=UTC)
GROWN = """
INSERT INTO tutoring.profile (id, name, email) VALUES (1, 'ada', 'ada@example.org');
INSERT INTO tutoring.study_chat_memory (student_id, content, created_at)
SELECT 1, repeat('x', 200), '2026-01-01' FROM generate_series(1, 4000);
DELETE FROM tutoring.study_chat_memory;
CREATE TABLE flights.other (n int PRIMARY KEY);
INSERT INTO flights.other SELECT generate_series(1, 100);
DELETE FROM flights.other;
"""


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    return School(url, connection)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table in use is given up sooner than in production."""
    monkeypatch.setattr(module, "LOCK_TIMEOUT", "300ms")


async def filenode(connection: asyncpg.Connection, name: str) -> int:
    return int(await connection.fetchval("SELECT pg_relation_filenode($1::text::regclass)", name))


async def test_space_comes_back_indexes_are_rebuilt_and_other_schemas_are_untouched(
    school: School, connection: asyncpg.Connection
) -> None:
    await connection.execute(GROWN)
    await connection.execute("SELECT pg_stat_force_next_flush()")
    ours, theirs = "tutoring.study_chat_memory_pkey", "flights.other_pkey"
    before = [await filenode(connection, name) for name in (ours, theirs)]
    report = await school.succeed(database_maintenance, SATURDAY)
    tables = await connection.fetchval(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'tutoring'::regnamespace AND relkind = 'r'"
    )
    assert (len(report["tables"]), report["skipped"], report["removed_indexes"]) == (tables, {}, [])
    memory = report["tables"]["study_chat_memory"]
    assert memory["before"]["dead_rows"] >= 4000
    assert memory["after"]["dead_rows"] == 0
    assert memory["after"]["table_bytes"] < memory["before"]["table_bytes"]
    assert memory["after"]["index_bytes"] < memory["before"]["index_bytes"]
    assert report["bytes_after"] < report["bytes_before"]
    after = [await filenode(connection, name) for name in (ours, theirs)]
    assert (after[0] != before[0], after[1] == before[1]) == (True, True)
    assert await connection.fetchval("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'other'") == 100


async def test_a_table_in_use_is_skipped_and_the_others_are_done(
    school: School, connection: asyncpg.Connection
) -> None:
    async with connection.transaction():
        await connection.execute("LOCK TABLE tutoring.subject IN SHARE MODE")
        report = await school.succeed(database_maintenance, SATURDAY)
    assert list(report["skipped"]) == ["subject"]
    assert report["skipped"]["subject"].startswith("vacuum: canceling statement due to lock timeout")
    assert "profile" in report["tables"]


async def test_a_reindex_that_gives_up_leaves_no_index_behind(school: School, connection: asyncpg.Connection) -> None:
    """A reader that does not end keeps REINDEX from its last step, by when it has built the index."""
    async with connection.transaction():
        await connection.execute("SELECT count(*) FROM tutoring.subject")
        report = await school.succeed(database_maintenance, SATURDAY)
    assert report["skipped"].get("subject", "").startswith("reindex: ")
    left = await connection.fetchval("SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_cc%' AND relkind = 'i'")
    if left:  # the reader kept the drop from ending, too: the next time begins with it
        again = await school.succeed(database_maintenance, SATURDAY.replace(day=21))
        assert again["removed_indexes"] != []
        left = await connection.fetchval("SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_cc%' AND relkind = 'i'")
    assert left == 0
    assert await connection.fetchval("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


async def test_what_a_reindex_left_goes_in_the_same_run_once_the_reader_has_gone(
    school: School, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, remove, times = connection.transaction(), module.remove_leftovers, iter(range(9))

    async def once_the_reader_has_gone(session: Reader, skipped: Skipped) -> list[str]:
        if next(times) == 1:  # the one at the end
            await reading.rollback()
        return await remove(session, skipped)

    monkeypatch.setattr(module, "remove_leftovers", once_the_reader_has_gone)
    await reading.start()
    await connection.execute("SELECT count(*) FROM tutoring.subject")
    report = await school.succeed(database_maintenance, SATURDAY)
    assert list(report["skipped"]) == ["subject"]
    assert "subject_name_key_ccold" in report["removed_indexes"]
    assert await connection.fetchval("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


async def test_what_an_earlier_try_left_goes_first(school: School, connection: asyncpg.Connection) -> None:
    await connection.execute("""
        CREATE INDEX subject_name_ccnew ON tutoring.subject (name);
        CREATE INDEX kept_ccnew ON tutoring.topic (id);
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tutoring.subject_name_ccnew'::regclass""")
    report = await school.succeed(database_maintenance, SATURDAY)
    assert report["removed_indexes"] == ["subject_name_ccnew"]
    assert await connection.fetchval("SELECT to_regclass('tutoring.kept_ccnew') IS NOT NULL")


@pytest.mark.parametrize("name", ["sexton backup command", "pg_dump"])
async def test_it_stays_out_of_a_backups_way(school: School, connection: asyncpg.Connection, name: str) -> None:
    await connection.execute(f"SET application_name = '{name}'")
    report = await school.succeed(database_maintenance, SATURDAY)
    assert (report["tables"], set(report["skipped"].values())) == ({}, {UNDER_WAY})


async def test_when_nothing_at_all_could_be_done_the_run_fails(
    school: School, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The strongest lock: then a table cannot even be measured."""
    monkeypatch.setattr(module, "LOCK_TIMEOUT", "10ms")
    names = await connection.fetchval(
        "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relnamespace = 'tutoring'::regnamespace "
        "AND relkind = 'r'"
    )
    async with connection.transaction():
        await connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        run = await school.perform(database_maintenance, SATURDAY)
    assert run.ending == "failed"
    assert "NothingDoneError" in str(run.error)
    assert "profile: measure: canceling statement due to lock timeout" in str(run.error)
