"""`sexton run-job`: ask a running daemon for a run, or perform it here when there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import asyncpg

from daemon import actions, migrate, sql
from daemon.actions_deed import Actor
from daemon.catalogue import Catalogue
from daemon.cli import output
from daemon.cli.approvals import one_of_two, or_ask
from daemon.cli.common import BadUsage, Invocation, run_async
from daemon.cli.database import Opened, connected
from daemon.cli.explain import parse_instant
from daemon.cli.waiting import report, stoppable, wait_for
from daemon.clock import utc_now
from daemon.job import Job
from daemon.jsonable import keeps
from daemon.settings import Settings
from daemon.unawaited import not_awaited

(SCHEMA_THERE, LIVE_NODES) = sql.load(__file__, "schema_there", "live_nodes")


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    job: Job
    due_at: datetime
    args: Mapping[str, Any]
    again: bool
    wait: bool
    actor: Actor


def run_job(
    invocation: Invocation, name: str, *, due_at: str | None, args: str | None, again: bool, wait: bool, dry: bool,
    actor: Actor,
) -> int:  # fmt: skip
    """Ask for a run; with `dry` only for what it would do, at an instant that may be still to come."""
    settings, catalogue = invocation.settings, invocation.catalogue
    job = catalogue.resolve(name)
    if dry:
        from daemon.cli.dry_run import dry_run

        if again or wait:
            raise BadUsage("--dry-run: there is no run to wait for, nor one to have again")
        when = utc_now() if due_at is None else parse_instant(due_at, job, "--due-at")
        return run_async(lambda: dry_run(settings, catalogue, job, when, _arguments(args)))
    at = utc_now() if due_at is None else _come(due_at, job)
    wish = Wish(job, at, _arguments(args), again, wait, one_of_two(invocation, actor))
    return or_ask(invocation, lambda: _run(settings, catalogue, wish))


def _come(due_at: str, job: Job) -> datetime:
    """The instant of `--due-at`. Raises `BadUsage`, for one in the future too: its run would be used up before it."""
    at = parse_instant(due_at, job, "--due-at")
    if at > utc_now():
        raise BadUsage(
            f"--due-at {due_at}: is still to come; a run is performed at once, so name an instant that was due"
        )
    return at


def _arguments(text: str | None) -> Mapping[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise BadUsage(f"--args {text}: not JSON: {error}") from None
    if not keeps(json.dumps(value, ensure_ascii=False)):
        raise BadUsage(f"--args {text}: write text without NUL and lone surrogates: the database keeps neither")
    if not isinstance(value, dict):
        raise BadUsage(f'--args {text}: give a JSON object, such as {{"name": "Ada"}}')
    return value


def _refuse(constant: str) -> NoReturn:
    """Raises `ValueError`: Python reads NaN and Infinity, but they are no JSON, and the ledger cannot keep them."""
    raise ValueError(f"{constant} is no number in it")


async def _run(settings: Settings, catalogue: Catalogue, wish: Wish) -> int:
    async with connected(settings, create=True) as (connection, place):

        async def alive() -> bool:
            return await nodes_alive(connection, place, wish.job.suite)

        if await alive():
            if not wish.wait:
                await _requested(connection, wish)
                return 0
            async with stoppable() as stop:  # from before the id is told: who has it may stop us at once
                run = await _requested(connection, wish)
                return report(await wait_for(connection, run, alive, stop), run)
        from daemon.cli.run_here import run_here  # the whole engine: only when nobody else runs one

        wanted = [*migrate.engine_migrations(), *migrate.suite_migrations(catalogue.packages)]
        await migrate.migrate(connection, wanted)
        run = await _requested(connection, wish)
        others = f" with the suite {wish.job.suite}" if await nodes_alive(connection, place) else ""
        output.note(f"no daemon{others} is running: performing it here")
        return report(await run_here(settings, catalogue, place, connection, run, wish.job), run)


async def nodes_alive(connection: asyncpg.Connection, place: Opened, suite: str | None = None) -> bool:
    """Whether some daemon, of those that have the suite, would take a run.

    Where the database runs for us alone, a fresh lease is a dead one's.
    """
    if place.ours or not await connection.fetchval(SCHEMA_THERE.text):
        return False
    return bool(await connection.fetchval(LIVE_NODES.text, suite))


async def _requested(connection: asyncpg.Connection, wish: Wish) -> int:
    run = await actions.request_run(
        connection, wish.actor, wish.job, due_at=wish.due_at, args=wish.args, again=wish.again
    )
    print(run, flush=True)
    await note_unmet(connection, wish.job, run, wish.due_at)
    return run


async def note_unmet(connection: asyncpg.Connection, job: Job, run: int, due_at: datetime) -> None:
    """A remark on the dependencies that a person's run does not wait for, if there are any."""
    if skipped := await not_awaited(connection, job, due_at):
        output.note(f"run {run} does not wait, because a person asked for it: {'; '.join(skipped)}")
