"""What a suite wants to be true of its tables before anything runs: `start_checks.sql` in its folder."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from daemon import adoption, adoption_checks, sql

FILE = "start_checks.sql"
MOST_TOLD = 5


class StartRefused(Exception):
    """Something in a suite's tables is wrong, and nothing runs until it is put right. `problems`: a sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


async def problems(connection: asyncpg.Connection, packages: Mapping[str, str]) -> list[str]:
    """A sentence for each row that a suite's checks find wrong; `packages` is suite → import name.

    Each statement of the file gives one column of text, and no row when all is well. It sees the suite's schema, and
    can change nothing. Views of tables that were there before the suite are held against its `adoption.toml`.
    """
    found: list[str] = []
    for suite, package in packages.items():
        if adoption.file_of(package) is not None:
            needed = adoption.adoption_of(suite, package)
            found += [f"{suite}: {problem}" for problem in await adoption_checks.structure(connection, needed)]
        path = _file_of(package)
        if path is None:
            continue
        for check in sql.parse(path).values():
            async with connection.transaction(readonly=True):
                await connection.execute(f'SET LOCAL search_path = "{suite}", pg_catalog')
                rows = await connection.fetch(check.text)
            found += [f"{suite}: {row[0]}" for row in rows[:MOST_TOLD]]
            if len(rows) > MOST_TOLD:
                found.append(f"{suite}: and {len(rows) - MOST_TOLD} more that {check.name.replace('_', ' ')}")
    return found


def _file_of(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    folders = (spec and spec.submodule_search_locations) or []
    return next((path for folder in folders if (path := Path(folder) / FILE).is_file()), None)
