"""`sexton migrate`: bring the schema up to date, the engine's and every suite's."""

from __future__ import annotations

from daemon import migrate
from daemon.cli.common import Invocation, run_async
from daemon.cli.database import connected


def migrate_database(invocation: Invocation) -> int:
    settings, catalogue = invocation.settings, invocation.catalogue
    wanted = [*migrate.engine_migrations(), *migrate.suite_migrations(catalogue.packages)]

    async def apply() -> list[migrate.Migration]:
        async with connected(settings, create=True, command_timeout=None) as (connection, _):
            return await migrate.migrate(connection, wanted)

    done = run_async(apply)
    for migration in done:
        print(f"applied {migration}")
    if not done:
        print(f"nothing to do: {len(wanted)} migration{'' if len(wanted) == 1 else 's'} applied before")
    return 0
