"""`sexton backup restore`: which database is meant, and what a person has to know afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from daemon import in_words, migrate
from daemon.actions_deed import Actor
from daemon.backup.place import Place
from daemon.backup.restore import Restored, Wish, restore
from daemon.cli import output
from daemon.cli.backup import APPLICATION, ended_by_sigterm
from daemon.cli.common import BadUsage, Invocation, run_async
from daemon.cli.database import opened
from daemon.cli.progress import progress_shown
from daemon.database_url import database_of, on_database, without_password
from daemon.job import OnEvent
from daemon.setting_addresses import is_url
from daemon.settings import Settings


def restore_backup(
    invocation: Invocation, name: str, into: str | None, *, replace: bool, owners: bool, actor: Actor
) -> int:
    """Restore, and say what is held and where the old database is."""
    settings, catalogue = invocation.settings, invocation.catalogue
    wanted = [*migrate.engine_migrations(), *migrate.suite_migrations(catalogue.packages)]
    handlers = [job for job in catalogue.jobs.values() if isinstance(job.trigger, OnEvent)]

    async def bring_up_to_date(connection: asyncpg.Connection) -> None:
        await migrate.migrate(connection, wanted)

    async def work() -> tuple[str, Restored]:
        async with _target(settings, into) as (url, database, alone):
            wish = Wish(name, database, replace, owners, alone, bring_up_to_date, handlers, actor)
            return database, await ended_by_sigterm(restore(Place(settings, url, APPLICATION), wish, progress))

    with progress_shown("restore") as progress:
        database, done = run_async(work)
    _say(database, done)
    return 0


@asynccontextmanager
async def _target(settings: Settings, into: str | None) -> AsyncIterator[tuple[str, str, bool]]:
    """URL and name of the database, and whether its server runs for us alone. Raises `BadUsage`."""
    if into == "":  # an unset variable of a script must not mean the configured database
        raise BadUsage("--into is empty: write the name of a database, or leave it out")
    if into is not None and "://" in into:
        yield into, _name_in(into), False
        return
    async with opened(settings, create=True) as place:
        url = place.urls.direct
        database = into or database_of(url)
        if database is None:
            raise BadUsage("database.url names no database: say which with --into NAME")
        yield on_database(url, database), database, place.ours


def _name_in(url: str) -> str:
    """Raises `BadUsage`, which does not repeat what may hold a password."""
    if not is_url(url) or (name := database_of(url)) is None:
        raise BadUsage("--into: write the name of a database, or a URL such as postgresql://user@host:5432/name")
    if without_password(url)[1] is not None:
        raise BadUsage(
            "--into: leave the password out, `ps` shows it to everybody; put it into $PGPASSWORD or ~/.pgpass"
        )
    return name


def _say(database: str, done: Restored) -> None:
    print(
        f"{done.name}, taken {in_words.moment(done.taken_at)}, is restored into {database}: {done.tables} tables, "
        f"{done.rows:,} rows, compared"
    )
    print(
        f"held for a person: what was under way (runs: {done.held}, messages: {done.messages}) and what was due since; "
        "after the start: sexton status, sexton release, sexton waive"
    )
    if done.kept_as is not None:
        drop = f"""sexton psql -- -c 'DROP DATABASE "{done.kept_as}"'"""
        output.note(f"what was there before is kept as {done.kept_as}; when nobody needs it any more: {drop}")
