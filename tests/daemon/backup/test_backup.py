"""Backups of a real database by the real programs: whole, proven, and never half done."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from daemon import embedded_process as processes
from daemon.backup import manifest
from daemon.backup.errors import (
    BackupError,
    BackupUnderway,
    Damaged,
    Differs,
    DirectoryUnusable,
    NoTools,
    UnknownBackup,
)
from daemon.backup.manifest import FILE, LargeObjects, Manifest
from daemon.backup.place import alone
from daemon.backup.record import Backup
from daemon.backup.shelf import VERIFIED
from daemon.backup.snapshot import Figures, differences, figures
from daemon.clock import utc_now
from daemon.database_url import on_database
from daemon.embedded import EmbeddedPostgres
from daemon.events import BackupFailed, BackupMade
from tests.daemon.backup.conftest import Vault, until_dumping
from tests.daemon.embedded_support import started

ODD = """
CREATE SCHEMA "Odd Name";
CREATE TABLE "Odd Name"."t" (t int, "A b" text, f float8, at timestamptz DEFAULT '2026-11-26 03:00+05:30');
INSERT INTO "Odd Name"."t" SELECT g, 'ß' || g, g / 3.0::float8 FROM generate_series(1, 500) g;
INSERT INTO "Odd Name"."t" SELECT * FROM "Odd Name"."t" LIMIT 3;
CREATE TABLE "Odd Name".nothing ();
CREATE TABLE "Odd Name".parted (day date NOT NULL, n int) PARTITION BY RANGE (day);
CREATE TABLE "Odd Name".parted_2026 PARTITION OF "Odd Name".parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO "Odd Name".parted VALUES ('2026-11-26', 1), ('2026-11-27', NULL);
CREATE TABLE "Odd Name".child (extra text) INHERITS ("Odd Name"."t");
INSERT INTO "Odd Name".child (t, extra) VALUES (7, 'x');
SELECT lo_from_bytea(4711, 'a letter'), lo_from_bytea(4712, ''), lo_put(4712, 1048576, 'after a mebibyte of nothing');
"""
LOCKED = "LOCK TABLE sexton.run IN ACCESS EXCLUSIVE MODE"


async def scratch_databases(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'sexton_scratch%'")
    return [row["datname"] for row in rows]


def changed(vault: Vault, backup: Backup, **fields: object) -> None:
    """A manifest that is sound and says something else."""
    path = vault.directory / backup.name / FILE
    made = manifest.read(path.parent)
    path.write_text(Manifest.model_validate({**made.model_dump(), **fields}).text, encoding="utf-8")


async def test_a_backup_holds_every_schema_and_is_proven_by_restoring_it(
    vault: Vault, connection: asyncpg.Connection
) -> None:
    await connection.execute(ODD)
    seen: list[tuple[str, int, int]] = []
    made = await vault.service.create(lambda *step: seen.append(step))
    found = manifest.read(vault.directory / made.name)
    rows = {table.name: table.rows for table in found.tables}
    assert rows['"Odd Name".t'] == 503
    assert rows['"Odd Name".parted_2026'] == 2
    assert rows['"Odd Name".child'] == 1
    assert rows["sexton.migration"] == await connection.fetchval("SELECT count(*) FROM sexton.migration")
    assert found.compression == "zstd"
    assert found.migrations["sexton"] >= 8
    assert found.large_objects is not None
    assert found.large_objects.objects == 2
    assert made.verified
    assert {step for step, done, total in seen if done == total} == {"tables", "checksums", "restored", "compared"}
    assert vault.events == [BackupMade(made.name, made.bytes, verified=True)]
    assert await scratch_databases(connection) == []
    assert vault.hidden() == []
    assert (await vault.service.listed(), await vault.service.newest_verified()) == ([made], made)
    folders = [vault.directory, vault.directory / made.name, vault.directory / made.name / "data"]
    assert [folder.stat().st_mode & 0o077 for folder in folders] == [0, 0, 0]  # nobody else may read it


async def test_what_is_written_meanwhile_is_in_neither_dump_nor_figures(
    vault: Vault, connection: asyncpg.Connection
) -> None:
    """Rows come in as soon as the figures begin, and go on coming until the dump is done."""
    await connection.execute("CREATE TABLE flights.busy AS SELECT generate_series(1, 1000) n")
    writing = asyncio.Event()

    async def write() -> None:
        await writing.wait()
        while True:
            await connection.execute(
                "INSERT INTO flights.busy VALUES (1); UPDATE flights.busy SET n = n + 1 WHERE n < 9"
            )

    writer = asyncio.create_task(write())
    made = await vault.service.create(lambda *_: writing.set())
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    assert made.verified
    found = manifest.read(vault.directory / made.name)
    assert next(table.rows for table in found.tables if table.name == "flights.busy") == 1000


def test_two_of_the_same_second_have_names_of_their_own(hasty: Vault) -> None:
    os.close(hasty.shelf.take())
    at = datetime(2026, 11, 26, 3, 0, 59, 700_000, tzinfo=UTC)
    names = []
    for _ in range(3):
        name, folder = hasty.shelf.begin(at)
        folder.rename(hasty.directory / name)
        names.append(name)
    assert names == ["20261126T030059Z", "20261126T030100Z", "20261126T030101Z"]
    assert hasty.shelf.names() == names[::-1]


async def damaged(vault: Vault, backup: Backup) -> str:
    with pytest.raises(Damaged) as error:
        await vault.service.verify(backup.name)
    assert isinstance(vault.events[-1], BackupFailed)
    return str(error.value)


async def test_whatever_was_done_to_a_backup_is_named(hasty: Vault, connection: asyncpg.Connection) -> None:
    """One backup, damaged and mended again and again."""
    made = await hasty.service.create()
    folder = hasty.directory / made.name
    table, text = max((folder / "data").glob("*.dat.zst")), (folder / FILE).read_text()
    whole = table.read_bytes()

    hasty.shelf.mark_verified(made.name, made.sha256, utc_now())
    table.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert f"{table}: its content was changed (sha256)" in await damaged(hasty, made)
    assert await hasty.service.newest_verified() is None  # so that pruning keeps one that is good
    table.write_bytes(whole[:-1])
    assert f"{table}: has {len(whole) - 1} bytes instead of {len(whole)}" in await damaged(hasty, made)
    table.unlink()
    (folder / "data" / "stranger").write_bytes(b"")
    said = (await damaged(hasty, made)).splitlines()
    assert said == [f"{table}: is missing", f"{folder}/data/stranger: does not belong to this backup"]
    (folder / "data" / "stranger").unlink()
    table.write_bytes(whole)
    (folder / FILE).write_text(text[:500])
    assert f"{folder / FILE}: is cut off or changed" in await damaged(hasty, made)
    assert "cut off" in str((await hasty.service.listed())[0].problem)
    (folder / FILE).write_text(text)
    assert (await hasty.service.verify(made.name)).verified
    assert await scratch_databases(connection) == []


async def test_a_table_that_comes_out_otherwise_is_named_and_nothing_of_the_trial_stays(
    hasty: Vault, connection: asyncpg.Connection
) -> None:
    made = await hasty.service.create()
    found = manifest.read(hasty.directory / made.name)
    assert found.large_objects == LargeObjects(objects=0, checksum="0")
    tables = [
        {**t.model_dump(), **{"sexton.job": {"rows": 5}, "sexton.migration": {"checksum": "1"}}.get(t.name, {})}
        for t in found.tables
    ]
    letter = LargeObjects(objects=1, checksum="17")
    changed(hasty, made, tables=tables, objects={**found.objects, "triggers": 1000}, large_objects=letter)
    hasty.shelf.mark_verified(made.name, manifest.read(hasty.directory / made.name).digest, utc_now())
    with pytest.raises(Differs) as error:
        await hasty.service.verify("latest")
    said = str(error.value)
    assert "sexton.job: 0 rows instead of 5" in said
    assert re.search(r"sexton\.migration: its \d+ rows are not the same \(checksum\)", said)
    assert "triggers: " in said
    assert "instead of 1000" in said
    assert "large objects: 0 instead of 1" in said
    assert await scratch_databases(connection) == []
    assert not (await hasty.service.listed())[0].verified


async def test_every_byte_of_a_large_object_counts_wherever_it_is(url: str, connection: asyncpg.Connection) -> None:
    async def sums() -> LargeObjects | None:
        return (await figures(url, "sexton backup test", 1, lambda *_: None, "compared")).large_objects

    await connection.execute("SELECT lo_from_bytea(4711, 'a letter'), lo_put(4711, 3000000, 'its end')")
    seen = [await sums()]
    for change in ("lo_put(4711, 3000000, 'its End')", "lo_put(4711, 3000007, '.')", "lo_from_bytea(4712, '')"):
        await connection.execute(f"SELECT {change}")
        seen.append(await sums())
    await connection.execute(
        "SELECT lo_unlink(4712), lo_put(4711, 3000000, 'its end'), lo_truncate64(lo_open(4711, 131072), 3000007)"
    )
    assert await sums() == seen[0]
    assert len(set(seen)) == 4


def test_large_objects_are_compared_where_somebody_has_looked() -> None:
    def told(wanted: LargeObjects | None) -> list[str]:
        return differences(Figures((), {}, wanted), Figures((), {}, LargeObjects(objects=2, checksum="5")))

    assert told(None) == []
    assert told(LargeObjects(objects=2, checksum="5")) == []
    assert told(LargeObjects(objects=3, checksum="5")) == ["large objects: 2 instead of 3"]
    assert told(LargeObjects(objects=2, checksum="6")) == ["large objects: the 2 are not the same (checksum)"]


async def test_an_archive_that_pg_restore_cannot_read_is_told_in_its_words(hasty: Vault) -> None:
    made = await hasty.service.create()
    folder = hasty.directory / made.name
    (folder / "data" / "toc.dat").write_bytes(b"PGDMP nonsense")
    stored = [
        {**f.model_dump(), **({"bytes": 14, "sha256": "0c5f"} if f.path.endswith("toc.dat") else {})}
        for f in manifest.read(folder).files
    ]
    import hashlib

    digest = hashlib.sha256(b"PGDMP nonsense").hexdigest()
    changed(
        hasty, made, files=[f | {"sha256": digest} if f["bytes"] == 14 and f["sha256"] == "0c5f" else f for f in stored]
    )
    assert "cannot be restored: pg_restore ended with status 1" in await damaged(hasty, made)


async def test_a_mark_of_another_backup_proves_nothing(hasty: Vault) -> None:
    made = await hasty.service.create()
    hasty.shelf.mark_verified(made.name, made.sha256, utc_now())
    assert await hasty.service.newest_verified() is not None
    hasty.shelf.mark_verified(made.name, made.sha256[::-1], utc_now())
    assert await hasty.service.newest_verified() is None
    (hasty.directory / made.name / VERIFIED).write_text("{")
    assert [b.verified_at for b in await hasty.service.listed()] == [None]


async def test_an_unknown_one_is_named_with_what_there_is(hasty: Vault) -> None:
    with pytest.raises(UnknownBackup, match="there is no backup 'latest'; there is none"):
        await hasty.service.verify("latest")
    made = await hasty.service.create()
    with pytest.raises(UnknownBackup, match=f"there is no backup 'first'; there are {made.name}"):
        await hasty.service.verify("first")


async def test_only_one_is_at_work_in_a_directory(hasty: Vault) -> None:
    async with alone(hasty.shelf):
        with pytest.raises(BackupUnderway, match=f"is under way there \\(process {os.getpid()}\\)"):
            await hasty.service.create()
    assert hasty.events == []
    await hasty.service.create()


async def test_a_directory_that_cannot_be_made_is_told_with_the_remedy(
    url: str, vault_of: Callable[..., Vault]
) -> None:
    vault = vault_of(url, directory="/sys/sexton-backups")
    with pytest.raises(DirectoryUnusable, match=r"/sys/sexton-backups: .*or set backup\.directory"):
        await vault.service.create()
    assert [type(event) for event in vault.events] == [BackupFailed]
    assert await vault.service.newest_verified() is None


async def test_the_programs_of_another_major_are_told_with_what_to_install(
    url: str, vault_of: Callable[..., Vault], tmp_path: Path
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for program in ("pg_dump", "pg_restore"):
        (old / program).write_text('#!/bin/sh\necho "pg_dump (PostgreSQL) 14.9"\n')
        (old / program).chmod(0o755)
    with pytest.raises(NoTools, match=r"takes pg_dump 17 .*old has pg_dump 14\.9\. Install .* or set backup\.bindir"):
        await vault_of(url, bindir=str(old)).service.create()
    with pytest.raises(NoTools, match="has no pg_dump and pg_restore"):
        await vault_of(url, bindir=str(tmp_path)).service.create()


async def test_a_backup_that_is_stopped_leaves_neither_programs_nor_halves(
    hasty: Vault, connection: asyncpg.Connection
) -> None:
    kept = await hasty.service.create()
    async with connection.transaction():
        await connection.execute(LOCKED)
        work = asyncio.create_task(hasty.service.create())
        pids = await until_dumping(hasty.directory)
        work.cancel()
        await asyncio.wait({work})
    assert work.cancelled()
    assert [pid for pid in pids if processes.is_alive(pid)] == []
    assert hasty.hidden() == []
    assert await hasty.service.listed() == [kept]


async def test_the_password_is_in_no_argument(
    url: str, vault_of: Callable[..., Vault], connection: asyncpg.Connection
) -> None:
    vault = vault_of(url.replace("sexton@", "sexton:hunter2@"), verify=False)
    async with connection.transaction():
        await connection.execute(LOCKED)
        work = asyncio.create_task(vault.service.create())
        for pid in await until_dumping(vault.directory):
            assert not [argument for argument in processes.arguments(pid) if "hunter2" in argument]
            assert b"PGPASSWORD=hunter2" in Path(f"/proc/{pid}/environ").read_bytes()
    await work


async def test_old_ones_leave_and_a_good_one_stays(hasty: Vault) -> None:
    good, later = await hasty.service.create(), utc_now() + timedelta(days=31)
    hasty.shelf.mark_verified(good.name, good.sha256, utc_now())
    newer = await hasty.service.create()
    assert await hasty.service.prune(utc_now()) == []
    assert [b.name for b in await hasty.service.prune(later)] == [newer.name]
    newest = await hasty.service.create()
    hasty.shelf.mark_verified(newest.name, newest.sha256, utc_now())
    assert [b.name for b in await hasty.service.prune(later)] == [good.name]
    assert hasty.shelf.names() == [newest.name]
    assert hasty.hidden() == []


async def test_what_was_moved_away_and_linked_or_only_looks_like_a_backup_hinders_nobody(
    hasty: Vault, tmp_path: Path
) -> None:
    shelf, elsewhere = hasty.shelf, tmp_path / "elsewhere" / "20200101T030000Z"
    elsewhere.mkdir(parents=True)
    (elsewhere / "kept").touch()
    shelf.directory.mkdir()
    (shelf.directory / elsewhere.name).symlink_to(elsewhere)
    (shelf.directory / "20200102T030000Z").touch()
    (shelf.directory / "20261399T030000Z").mkdir()
    (shelf.directory / ".20200103T030000Z.partial").symlink_to(elsewhere)

    assert [b.name for b in await hasty.service.prune(utc_now())] == ["20200101T030000Z", "20200102T030000Z"]
    assert sorted(e.name for e in shelf.directory.iterdir()) == [".lock", "20261399T030000Z"]
    assert (elsewhere / "kept").exists()


async def test_a_role_that_may_not_make_databases_is_told_what_it_needs(
    url: str, vault_of: Callable[..., Vault], connection: asyncpg.Connection
) -> None:
    role = f"reader_{os.getpid()}"
    await connection.execute(f"CREATE ROLE {role} LOGIN; GRANT pg_read_all_data TO {role}")
    try:
        vault = vault_of(url.replace("sexton@", f"{role}@"))
        with pytest.raises(BackupError, match=f"which {role} may not create .*ALTER ROLE {role} CREATEDB"):
            await vault.service.create()
        assert [b.verified for b in await vault.service.listed()] == [False]
    finally:
        await connection.execute(f"DROP ROLE {role}")


async def test_rows_that_the_role_may_not_see_fail_the_backup_instead_of_missing_in_it(
    url: str, vault_of: Callable[..., Vault], connection: asyncpg.Connection
) -> None:
    role = f"blinkered_{os.getpid()}"
    await connection.execute(f"CREATE ROLE {role} LOGIN; GRANT pg_read_all_data TO {role}")
    await connection.execute("CREATE TABLE flights.shy (n int); ALTER TABLE flights.shy ENABLE ROW LEVEL SECURITY")
    try:
        vault = vault_of(url.replace("sexton@", f"{role}@"))
        with pytest.raises(BackupError, match="query would be affected by row-level security policy for table"):
            await vault.service.create()
        assert ([type(event) for event in vault.events], vault.hidden()) == ([BackupFailed], [])
    finally:
        await connection.execute(f"DROP ROLE {role}")


async def test_an_older_server_is_dumped_by_its_own_programs_one_table_at_a_time(
    tmp_path: Path, vault_of: Callable[..., Vault]
) -> None:
    bindir = Path("/usr/lib/postgresql/15/bin")
    if not (bindir / "pg_dump").exists():
        pytest.skip("needs PostgreSQL 15")
    from daemon import migrate

    async with started(EmbeddedPostgres(tmp_path / "old", bindir=bindir, settings={"fsync": "off"})) as url:
        connection = await asyncpg.connect(url)
        await migrate.migrate(connection, migrate.engine_migrations())
        await connection.execute(ODD)
        await connection.close()
        vault, seen = vault_of(on_database(url, "sexton"), jobs=1), set()
        made = await vault.service.create(lambda step, done, total: seen.add(step) if done == total else None)
    assert seen == {"tables", "checksums", "restored", "compared"}
    found = manifest.read(vault.directory / made.name)
    assert made.verified
    assert (found.pg_dump.partition(".")[0], found.compression) == ("15", "gzip")
