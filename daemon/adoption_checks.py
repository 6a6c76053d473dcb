"""Hold a database against what a suite needs of it: each difference with its place and its remedy. Changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Literal

import asyncpg

from daemon import sql
from daemon.adoption import Adoption, Relation
from daemon.adoption_rows import wrong_rows

RELATION, COLUMNS, BASES, PRIVILEGES, TRIGGERS = sql.load(
    __file__, "relation", "columns", "bases", "privileges", "triggers"
)

NOT_OF_JOBS = ("seed.sql",)
"""Files beside the jobs whose statements are for tables of the suite's own."""
CASTS = {"timestamptz": "{0} AT TIME ZONE 'UTC' AS {0}"}
ACCEPTED = {"text": ("text", "character varying"), "integer": ("integer", "smallint")}
NAMES = {"timestamptz": "timestamp with time zone", "time": "time without time zone"}


async def differences(connection: asyncpg.Connection, adoption: Adoption) -> list[str]:
    """A sentence each. Rows are read when relations and triggers are well, statements when the rows are, too."""
    found = await structure(connection, adoption)
    if not found:
        async with _looking(connection, adoption.suite):
            for name, relation in adoption.relations.items():
                found += await wrong_rows(connection, f"{adoption.suite}.{name}", relation)
    return found or await _of_statements(connection, adoption)


async def structure(connection: asyncpg.Connection, adoption: Adoption) -> list[str]:
    """What the catalogue tells: relations, columns, rights, triggers. Quick, whatever there is in the tables."""
    found: list[str] = []
    async with _looking(connection, adoption.suite):
        for name, relation in adoption.relations.items():
            found += await _of_relation(connection, f"{adoption.suite}.{name}", relation)
        found += await _of_triggers(connection, adoption)
    return found


@asynccontextmanager
async def _looking(connection: asyncpg.Connection, suite: str) -> AsyncIterator[None]:
    async with connection.transaction(readonly=True):
        await connection.execute(f'SET LOCAL search_path = "{suite}", pg_catalog')
        yield


async def _of_relation(connection: asyncpg.Connection, name: str, relation: Relation) -> list[str]:
    there = await connection.fetchrow(RELATION.text, name)
    if there is None:
        return [f"{name} is not there: create a view of that name, or migrate for the suite's own table"]
    columns = {row["name"]: row for row in await connection.fetch(COLUMNS.text, there["oid"])}
    wrong = [
        sentence for column, type_ in relation.columns.items() if (sentence := _type(name, column, type_, columns))
    ]
    if wrong:
        return wrong
    return [*_changes(name, relation, there, columns), *await _privileges(connection, name, relation, there)]


def _type(name: str, column: str, wanted: str, columns: Mapping[str, asyncpg.Record]) -> str | None:
    there = columns.get(column)
    if there is None:
        return f"{name} has no column {column}: add it to the view, as {wanted}, null if the shop has no such thing"
    if there["type"] in ACCEPTED.get(wanted, (NAMES.get(wanted, wanted),)):
        return None
    remedy = CASTS.get(wanted, "{0}::" + wanted + " AS {0}").format(column)
    return f"{name}.{column} is {there['type']}, and has to be {wanted}: let the view say `{remedy}`"


def _changes(
    name: str, relation: Relation, there: asyncpg.Record, columns: Mapping[str, asyncpg.Record]
) -> list[str]:  # fmt: skip
    wanted = {
        "update": relation.updates,
        "insert": relation.inserts,
        "delete": (relation.key,) if relation.deletes else (),
    }
    found = []
    for event, of in wanted.items():
        if not of or there[f"instead_of_{event}"]:
            continue
        remedy = f"create a trigger INSTEAD OF {event.upper()} ON {name}"
        if not there[f"can_{event}"]:
            found.append(f"{name} cannot {event}: {remedy}")
        elif event != "delete" and (fixed := [c for c in of if not columns[c]["updatable"]]):
            found.append(f"{name} cannot {event} {', '.join(fixed)}, which the view computes: {remedy}")
    return found


async def _privileges(
    connection: asyncpg.Connection, name: str, relation: Relation, there: asyncpg.Record
) -> list[str]:  # fmt: skip
    """Of our role on the relation; of a view's owner on what it reads; of whoever writes through it."""
    needed = {
        "SELECT": True, "UPDATE": bool(relation.locks or relation.updates), "INSERT": bool(relation.inserts),
        "DELETE": relation.deletes,
    }  # fmt: skip
    lacking = await connection.fetch(PRIVILEGES.text, there["oid"], [p for p, on in needed.items() if on], None)
    columns = list(relation.updates or (relation.key,))
    found = [
        _grant(row["role"], name, row["privilege"], columns if row["privilege"] == "UPDATE" else ()) for row in lacking
    ]
    for base in await connection.fetch(BASES.text, there["oid"], there["owner"]):
        if base["unreadable"]:
            found.append(_grant(base["owner"], base["name"], "SELECT", base["unreadable"]))
        for privilege, on in needed.items():
            if on and (whose := _writes_through(privilege, base, there)) is not False:
                lacking = await connection.fetch(PRIVILEGES.text, base["oid"], [privilege], whose)
                found += [_grant(row["role"], base["name"], privilege, []) for row in lacking]
    return found


def _writes_through(privilege: str, base: asyncpg.Record, view: asyncpg.Record) -> int | Literal[False] | None:
    """Who needs it on what the view reads: its owner; where a trigger's function writes, None for us. False: nobody, as
    far as can be seen: the function has rights of its own, or there is more than one base.
    """
    if privilege == "SELECT" or not base["only"]:
        return False
    if not view[f"instead_of_{privilege.lower()}"]:
        owner: int = view["owner"]
        return owner
    return False if view["by_definer"] else None


def _grant(role: str, on: str, privilege: str, columns: Sequence[str]) -> str:
    of = f" ({', '.join(columns)})" if privilege in ("SELECT", "UPDATE") and columns else ""
    return f"{role} may not {privilege} on {on}: GRANT {privilege}{of} ON {on} TO {role}"


async def _of_triggers(connection: asyncpg.Connection, adoption: Adoption) -> list[str]:
    found = []
    for function, events in adoption.triggers.items():
        there = await connection.fetchrow(TRIGGERS.text, f"{adoption.suite}.{function}")
        found += [
            f"no trigger calls {adoption.suite}.{function} on {event}: create one AFTER {event.upper()} on the table "
            "that the view reads"
            for event in events
            if there is None or not there[event]
        ]
    return found


async def _of_statements(connection: asyncpg.Connection, adoption: Adoption) -> list[str]:
    """PostgreSQL reads every statement of the suite's jobs against these relations, and runs none of them."""
    found = []
    for path in sorted(adoption.folder.glob("*.sql")):
        if path.name in NOT_OF_JOBS:
            continue
        for statement in sql.parse(path).values():
            try:
                async with _looking(connection, adoption.suite):
                    await connection.prepare(statement.text)
            except asyncpg.PostgresError as error:
                found.append(f"{statement.place} does not fit these relations: {error}")
    return found
