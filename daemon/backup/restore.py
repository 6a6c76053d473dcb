"""Put a backup back: into a database of its own, compared, its catch-up held, and only then renamed into place.

Whatever fails before the rename leaves the target as it was; what the target held is kept under another name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from daemon import ledger, sql
from daemon.actions_deed import Actor, Deed, deed
from daemon.backup.errors import Damaged, RestoreRefused
from daemon.backup.manifest import Manifest
from daemon.backup.place import Place, alone
from daemon.backup.scratch import RENAME, THERE, create, drop, free_name
from daemon.backup.snapshot import Progress
from daemon.backup.verify import WITHOUT_OWNERS, checked, restored_and_compared, server_can_take
from daemon.clock import utc_now
from daemon.database import connect
from daemon.database_url import on_database
from daemon.job import Job
from daemon.uninterrupted import to_the_end

(
    EVENTS_WAIT, HOLD_RUNS, END_POLLS, FREE_JOBS, HOLD_MESSAGES, EXPIRE_NODES, REMEMBER, LEDGER_THERE, RELATIONS,
    IS_TEMPLATE, ALIVE, CONNECTED,
) = sql.load(
    __file__, "events_wait", "hold_runs", "end_polls", "free_jobs", "hold_messages", "expire_nodes", "remember",
    "ledger_there", "relations", "is_template", "alive", "connected",
)  # fmt: skip
MAINTENANCE = ("postgres", "template1")
PATIENCE, PAUSE = 10.0, 0.1
Migrate = Callable[[asyncpg.Connection], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Wish:
    """`replace`: even over what is there. `owners`: give everything to the roles it belonged to. `alone`: the server
    runs for this command only, so that a fresh lease is a dead node's. `migrate` brings the schema up to date.
    `handlers`: the jobs that are given events.
    """

    name: str
    database: str
    replace: bool
    owners: bool
    alone: bool
    migrate: Migrate
    handlers: Sequence[Job]
    actor: Actor


@dataclass(frozen=True, slots=True)
class Restored:
    """`held` runs and `messages` wait for a person; `kept_as`: the database that was there before."""

    name: str
    taken_at: datetime
    tables: int
    rows: int
    held: int
    messages: int
    kept_as: str | None


async def restore(place: Place, wish: Wish, progress: Progress) -> Restored:
    """Restore into `wish.database` on the server of `place`. Raises `RestoreRefused` and other `BackupError`s."""
    async with alone(place.shelf):
        name = await asyncio.to_thread(place.shelf.resolve, wish.name)
        wanted = await _sound(place, name)
        admin = await _administering(place, wish.database)
        beside = await free_name(admin, place.shelf.directory)
        try:
            await server_can_take(admin, wanted)
            there = await _judge(place, admin, wish)
            await create(admin, beside)
            url = on_database(place.url, beside)
            options = () if wish.owners else WITHOUT_OWNERS
            await restored_and_compared(place, place.shelf.directory / name, wanted, url, options, progress)
            held, messages = await _prepared(place, url, wish, name, wanted)
            kept = await to_the_end(_swap(admin, beside, wish.database, there))
        finally:
            await to_the_end(_without(admin, beside))
    return Restored(name, wanted.taken_at, len(wanted.tables), wanted.rows, held, messages, kept)


async def _sound(place: Place, name: str) -> Manifest:
    """The manifest, once every file is what it says. Raises `Damaged`, which names what to restore instead."""
    try:
        return await checked(place, name)
    except Damaged as error:
        await to_the_end(asyncio.to_thread(place.shelf.withdraw_mark, name))
        other = await asyncio.to_thread(place.shelf.newest_verified)
        remedy = f"sexton backup restore {other.name}, which is verified" if other else "no other one is verified"
        raise Damaged(*error.problems, f"nothing was changed; to take another one: {remedy}") from error


async def _administering(place: Place, target: str) -> asyncpg.Connection:
    """A connection to another database of the server: one cannot rename the database one is in."""
    last: Exception | None = None
    for database in MAINTENANCE:
        if database != target:
            try:
                url = on_database(place.url, database)
                return await connect(url, place.application, statement_cache=0, command_timeout=None)
            except (asyncpg.InvalidCatalogNameError, asyncpg.InsufficientPrivilegeError) as error:
                last = error
    raise RestoreRefused(
        f"neither of the databases {' and '.join(MAINTENANCE)} can be used to rename {target} from: {last}"
    )


async def _judge(place: Place, admin: asyncpg.Connection, wish: Wish) -> int | None:
    """How many tables and views the target has, None if there is no such database. Raises `RestoreRefused`."""
    if not await admin.fetchval(THERE.text, wish.database):
        return None
    if await admin.fetchval(IS_TEMPLATE.text, wish.database):
        raise RestoreRefused(f"{wish.database} is a template that the server makes databases from: name another one")
    url = on_database(place.url, wish.database)
    target = await connect(url, place.application, statement_cache=0)
    try:
        relations: int = await target.fetchval(RELATIONS.text)
        alive: Sequence[str] = []
        if await target.fetchval(LEDGER_THERE.text) and not wish.alone:
            alive = [row["name"] for row in await target.fetch(ALIVE.text)]
    finally:
        target.terminate()
    if alive:
        raise RestoreRefused(
            f"a daemon works on {wish.database} ({', '.join(alive)}): stop it first (systemctl stop sexton; one that "
            "was killed counts as alive until its lease has run out), or restore beside it: --into NAME"
        )
    if relations and not wish.replace:
        raise RestoreRefused(
            f"{wish.database} is not empty: it has {relations} tables and views. Restore beside it with --into NAME, "
            "or say --replace: what is there is kept under another name"
        )
    return relations


async def _prepared(place: Place, url: str, wish: Wish, name: str, wanted: Manifest) -> tuple[int, int]:
    """Bring its schema up to date, hold what a person must decide, and gather the planner's statistics."""
    connection = await connect(url, place.application, statement_cache=0, command_timeout=None)
    try:
        if not await connection.fetchval(LEDGER_THERE.text):
            return 0, 0
        await wish.migrate(connection)
        reason = ledger.restored_from(name)
        async with deed(connection, wish.actor, "restore") as doing:
            await _hand_out_events(doing, wish.handlers)
            held = await doing.fetch(HOLD_RUNS, reason)
            messages = await doing.fetch(HOLD_MESSAGES, f"{reason}: it may have been sent since")
            for statement in (END_POLLS, FREE_JOBS, EXPIRE_NODES):
                await doing.fetch(statement)
            await doing.fetch(REMEMBER, name, wanted.taken_at, wish.actor.who)
            after = {"backup": name, "taken_at": wanted.taken_at, "held": len(held), "messages": len(messages)}
            doing.did(wish.database, {}, after, "job:")
        await connection.execute("ANALYZE")
        return len(held), len(messages)
    finally:
        await connection.close()


async def _hand_out_events(doing: Deed, handlers: Sequence[Job]) -> None:
    """Events that wait become runs, which are then held like any other."""
    kinds, names, orders = ledger.handler_columns(handlers)
    while (await doing.fetch(EVENTS_WAIT, kinds))[0][0]:
        await doing.fetch(ledger.DISPATCH_EVENTS, kinds, names, orders)


async def _swap(admin: asyncpg.Connection, beside: str, database: str, there: int | None) -> str | None:
    """Rename both at once; an empty database that was there is dropped. Returns what the old one is called now."""
    kept = f"{database[:32]}_replaced_{utc_now():%Y%m%dT%H%M%SZ}"
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            async with admin.transaction():
                if there is not None:
                    await admin.execute(await admin.fetchval(RENAME.text, database, kept))
                await admin.execute(await admin.fetchval(RENAME.text, beside, database))
        except asyncpg.ObjectInUseError as error:  # our own sessions there end a moment after us
            if asyncio.get_running_loop().time() > deadline:
                who = ", ".join(row["who"] for row in await admin.fetch(CONNECTED.text, database))
                raise RestoreRefused(f"{database} is in use ({who or error}): nothing was changed") from error
            await asyncio.sleep(PAUSE)
        else:
            break
    if there == 0:
        await drop(admin, kept)
    return kept if there else None


async def _without(admin: asyncpg.Connection, beside: str) -> None:
    """Whatever happened, the database beside is gone: renamed, or dropped."""
    try:
        await drop(admin, beside)
    finally:
        admin.terminate()
