"""`sexton adopt`: what a suite needs of tables that are there already, and whether a database has it."""

from __future__ import annotations

from daemon import adoption, adoption_checks
from daemon.adoption import Adoption
from daemon.cli.common import BadUsage, CommandFailed, Invocation, run_async
from daemon.cli.database import connected
from daemon.naming import did_you_mean


def adopt(invocation: Invocation, suite: str, *, check: bool) -> int:
    """Print what is needed; with `check`, every difference with its remedy. 1 when there is one.

    Raises `BadUsage` for a suite that is not there, `NotAdoptable` for one that has tables of its own only.
    """
    packages = invocation.catalogue.packages
    if suite not in packages:
        raise BadUsage(f"there is no suite {suite!r}{did_you_mean(suite, packages)}")
    needed = adoption.adoption_of(suite, packages[suite])
    if not check:
        print(described(needed))
        return 0

    async def ask() -> list[str]:
        async with connected(invocation.settings, command_timeout=None) as (connection, _):
            return await adoption_checks.differences(connection, needed)

    found = run_async(ask)
    if found:
        raise CommandFailed("\n".join([f"{suite}: {len(found)} to put right, and nothing was changed", *found]))
    print(f"{suite}: {len(needed.relations)} relations have the columns, types, keys and privileges that are needed")
    return 0


def described(needed: Adoption) -> str:
    """Each relation with its columns, then the privileges as statements."""
    lines = []
    for name, relation in needed.relations.items():
        lines.append(f"{needed.suite}.{name} (key {relation.key})")
        lines += [f"    {column:20} {type_}" for column, type_ in relation.columns.items()]
    return "\n".join([*lines, "", *needed.grants()])
