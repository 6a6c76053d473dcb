"""`sexton check`: is the configuration usable, are the suites sound, and with `--database`, is the schema theirs?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from daemon import migrate, sql, start_checks, suite_hooks, suite_reports, suite_routes
from daemon.catalogue import Catalogue
from daemon.cli import output
from daemon.cli.common import CommandFailed, Invocation, run_async
from daemon.cli.database import NoDatabase, connected
from daemon.config import ConfigError
from daemon.migrate import Migration
from daemon.start_checks import StartRefused

(HISTORY_THERE, HISTORY) = sql.load(__file__, "history_there", "history")


def check(invocation: Invocation, *, database: bool) -> int:
    """Print warnings and counts; errors have stopped us before. With `database`, compare its schema's history, and ask
    what each suite asks of its tables before a start. Raises `StartRefused`.
    """
    settings, catalogue = invocation.settings, invocation.catalogue
    problems: list[str] = []
    suite_routes.read(catalogue.packages, problems)
    hooks = suite_hooks.read(catalogue.packages, problems)
    reports = suite_reports.read(catalogue.packages, problems)
    problems += suite_reports.check(reports, catalogue.jobs, catalogue.settings, catalogue.packages)
    if problems:
        raise ConfigError(problems)
    wanted = [*migrate.engine_migrations(), *migrate.suite_migrations(catalogue.packages)]
    unserved = (
        [] if settings.public.listen else [f"POST {path} is not served: public.listen is empty" for path in hooks]
    )
    for warning in [*catalogue.warnings, *unserved]:
        output.warn(warning)
    print(f"{_count(len(catalogue.jobs), 'job')} in {_count(len(catalogue.packages), 'suite')}")
    if not database:
        return 0

    async def ask() -> tuple[Mapping[tuple[str, int], str], list[str]]:
        async with connected(settings) as (connection, _):
            history = await applied(connection)
            whole = all((m.suite, m.version) in history for m in wanted)
            return history, await start_checks.problems(connection, catalogue.packages) if whole else []

    try:
        history, wrong = run_async(ask)
    except NoDatabase as error:
        if error.__cause__ is not None:
            raise
        history, wrong = {}, []  # embedded and not created yet: a fresh machine is no error
    status = _compare(wanted, history, catalogue)
    if wrong:
        raise StartRefused(wrong)
    return status


async def applied(connection: asyncpg.Connection) -> Mapping[tuple[str, int], str]:
    """What the database's history says: (suite, version) → checksum; empty for an empty database."""
    if not await connection.fetchval(HISTORY_THERE.text):
        return {}
    return {(r["suite"], r["version"]): r["checksum"] for r in await connection.fetch(HISTORY.text)}


def _compare(wanted: Sequence[Migration], history: Mapping[tuple[str, int], str], catalogue: Catalogue) -> int:
    pending = [m for m in wanted if (m.suite, m.version) not in history]
    edited = [m for m in wanted if history.get((m.suite, m.version), m.checksum) != m.checksum]
    known = {(m.suite, m.version) for m in wanted}
    newer = [key for key in history if key not in known and (key[0] in catalogue.packages or key[0] == "sexton")]
    for suite, version in newer:
        output.warn(f"the database has {suite} {version:04d}, which these files do not: a newer version was here")
    if pending:
        print(f"pending migrations: {output.listed(pending)}; `sexton run` or `sexton migrate` applies them")
    elif not edited:
        print("the database's schema is up to date")
    if edited:
        raise CommandFailed(
            f"edited after they were applied: {output.listed([m.path for m in edited])}; restore the files and put the "
            "change in a new migration"
        )
    return 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
