"""Schema history: forward only, one at a time under an advisory lock, each file applied once and never edited.

The engine's files come first, then each suite's, in the order of `suites`. A suite's tables live in the
schema of its name, where a migration puts what it does not qualify, as a job's transaction finds it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

ADVISORY_LOCK = 0x5E_C5_70_4E
FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
SUITE = re.compile(r"[a-z][a-z0-9_]*")

HISTORY = """
CREATE SCHEMA IF NOT EXISTS sexton;
CREATE TABLE IF NOT EXISTS sexton.migration (
    suite text NOT NULL, version int NOT NULL, name text NOT NULL, checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (suite, version));
"""


class MigrationError(Exception):
    """The schema's history and the files disagree, or a file failed. Nothing of that file was applied."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of a suite. Its checksum, once applied, never changes."""

    suite: str
    version: int
    name: str
    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.suite} {self.version:04d}_{self.name}"


def engine_migrations() -> list[Migration]:
    return in_folder("sexton", Path(__file__).parent / "migrations")


def suite_migrations(packages: Mapping[str, str]) -> list[Migration]:
    """`packages`: suite name → its import name."""
    found: list[Migration] = []
    for suite, package in packages.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            found += in_folder(suite, Path(next(iter(spec.submodule_search_locations))) / "migrations")
    return found


def in_folder(suite: str, folder: Path) -> list[Migration]:
    """The numbered files of a folder, in order. Raises `MigrationError` for a gap, a double or a stray name."""
    migrations: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = FILE.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path}: a migration is called like 0001_what_it_does.sql")
        migrations.append(Migration(suite, int(match[1]), match[2], path))
        if migrations[-1].version != len(migrations):
            raise MigrationError(f"{path}: expected number {len(migrations):04d}; migrations are numbered without gaps")
    return migrations


async def migrate(connection: asyncpg.Connection, migrations: Iterable[Migration]) -> list[Migration]:
    """Apply what is missing and return it. Raises `MigrationError` if an applied file was edited since."""
    applied_now: list[Migration] = []
    await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
    try:
        await connection.execute(HISTORY)
        rows = await connection.fetch("SELECT suite, version, name, checksum FROM sexton.migration")
        applied = {(row["suite"], row["version"]): row for row in rows}
        for migration in migrations:
            row = applied.get((migration.suite, migration.version))
            if row is None:
                await _apply(connection, migration)
                applied_now.append(migration)
            elif row["checksum"] != migration.checksum:
                raise MigrationError(
                    f"{migration.path}: {migration} was applied with other contents; an applied migration is "
                    "never edited: restore the file and put the change in a new one"
                )
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", ADVISORY_LOCK)
    return applied_now


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    if not SUITE.fullmatch(migration.suite):
        raise MigrationError(f"{migration.suite!r} cannot be a schema's name")
    try:
        async with connection.transaction():
            await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{migration.suite}"')
            await connection.execute(f'SET LOCAL search_path = "{migration.suite}", pg_catalog')
            await connection.execute(migration.text)
            await connection.execute(
                "INSERT INTO sexton.migration (suite, version, name, checksum) VALUES ($1, $2, $3, $4)",
                migration.suite, migration.version, migration.name, migration.checksum,
            )  # fmt: skip
    except asyncpg.PostgresError as error:
        position = getattr(error, "position", None)
        line = f":{migration.text[: int(position)].count(chr(10)) + 1}" if position else ""
        raise MigrationError(f"{migration.path}{line}: {error}") from error
