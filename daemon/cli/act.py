"""The commands by which a person changes the ledger: each asks `daemon.actions` and says what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext

import asyncpg

from daemon import actions, in_words
from daemon.actions_deed import Actor, Changed
from daemon.actions_items import Chosen, retry_items
from daemon.actions_overrides import reschedule_job
from daemon.catalogue import Catalogue
from daemon.cli import output
from daemon.cli.approvals import one_of_two, or_ask
from daemon.cli.common import BadUsage, CommandFailed, Invocation, run_async
from daemon.cli.database import Opened, connected
from daemon.cli.explain import print_instants
from daemon.cli.options import possible_ids
from daemon.cli.run_job import nodes_alive, note_unmet
from daemon.cli.waiting import report, stoppable, wait_for
from daemon.clock import utc_now
from daemon.in_force import schedule_words, upcoming
from daemon.job import Job
from daemon.naming import did_you_mean
from daemon.queue import WorkQueue

CANCEL_PATIENCE = 10.0
PREVIEW = 5


def retry(invocation: Invocation, what: str, keys: Sequence[int], everything: bool, actor: Actor) -> int:
    """`what` is a run's id, with further ids in `keys`, or a queue's name, with the keys of its dead items."""
    catalogue = invocation.catalogue
    if not what.isdecimal():
        queue = _queue(catalogue, what)
        if bool(keys) == everything:
            raise BadUsage(f"name the dead items of {queue.name} to retry, or say --all")
        return run_async(lambda: _retry_items(invocation, queue, None if everything else keys, actor))
    if everything:
        raise BadUsage("--all goes with a queue; name runs one by one")
    runs, first = _distinct([int(what), *keys]), one_of_two(invocation, actor)
    possible_ids(runs)

    async def main() -> int:
        async with connected(invocation.settings) as (connection, _):
            changed = await actions.retry_runs(connection, first, catalogue.jobs, runs)
            told = _tell(changed)
            for run in changed:
                if (job := catalogue.jobs.get(run.job)) is not None:
                    await note_unmet(connection, job, run.id, run.due_at)
            return told

    return or_ask(invocation, main)


def _queue(catalogue: Catalogue, name: str) -> WorkQueue:
    if name not in catalogue.queues:
        nearest = did_you_mean(name, catalogue.queues) or f"; there are: {output.listed(sorted(catalogue.queues))}"
        raise BadUsage(f"{name!r} is neither a run's id nor a queue{nearest if catalogue.queues else ''}")
    return catalogue.queues[name]


async def _retry_items(invocation: Invocation, queue: WorkQueue, keys: Sequence[int] | None, actor: Actor) -> int:
    async with connected(invocation.settings) as (connection, _):
        revived = await retry_items(connection, actor, queue, Chosen(keys))
    print(f"{queue.name}: {len(revived)} dead item{'' if len(revived) == 1 else 's'} ready again")
    if strangers := sorted(set(keys or ()) - set(revived)):
        raise CommandFailed(f"not dead, or not there: {output.listed(strangers)}")
    return 0


def release(invocation: Invocation, runs: Sequence[int], job: str | None, actor: Actor) -> int:
    """Let held runs go, one by one or all of a job."""
    catalogue = invocation.catalogue
    if bool(runs) == (job is not None):
        raise BadUsage("name the held runs to release, or a job with --job, and not both")
    name = catalogue.resolve(job).name if job is not None else ""

    async def main() -> int:
        async with connected(invocation.settings) as (connection, _):
            if name:
                changed = await actions.release_job(connection, actor, catalogue.jobs, name)
                if not changed:
                    raise CommandFailed(f"{name} has no held runs")
            else:
                changed = await actions.release_runs(connection, actor, catalogue.jobs, _distinct(runs))
            return _tell(changed)

    return run_async(main)


def waive(invocation: Invocation, runs: Sequence[int], actor: Actor) -> int:
    catalogue, first = invocation.catalogue, one_of_two(invocation, actor)

    async def main() -> int:
        async with connected(invocation.settings) as (connection, _):
            return _tell(await actions.waive_runs(connection, first, catalogue.jobs, _distinct(runs)), "waived")

    return or_ask(invocation, main)


def cancel(invocation: Invocation, runs: Sequence[int], wait: bool, actor: Actor) -> int:
    async def main() -> int:
        waiting = stoppable() if wait else nullcontext(asyncio.Event())  # from before anything is told
        async with connected(invocation.settings) as (connection, place), waiting as stop:
            changed = await actions.cancel_runs(connection, actor, _distinct(runs))
            _tell([run for run in changed if run.was != "running"])
            for run in changed:
                if run.strict and run.state == "cancelled":
                    output.note(f"later runs of {run.job} wait until run {run.id} is retried or waived")
            asked = [run for run in changed if run.was == "running"]
            for run in asked:
                print(f"run {run.id} ({run.job}): asked its node to stop it", flush=True)
            return await _see_them_stop(connection, place, asked, stop) if wait else 0

    return run_async(main)


async def _see_them_stop(
    connection: asyncpg.Connection, place: Opened, asked: Sequence[Changed], stop: asyncio.Event
) -> int:
    """0 when every one was cancelled; one that ended otherwise, or goes on, is reported."""

    async def alive() -> bool:
        return await nodes_alive(connection, place)

    failed = 0
    for run in asked:
        ended = await wait_for(connection, run.id, alive, stop, patience=CANCEL_PATIENCE)
        report(ended, run.id)
        failed += ended.row["state"] != "cancelled"
    return 1 if failed else 0


def pause(invocation: Invocation, name: str, actor: Actor) -> int:
    job = invocation.catalogue.resolve(name)

    async def main() -> int:
        async with connected(invocation.settings) as (connection, _):
            paused = await actions.pause_job(connection, actor, job.name)
        if paused.already:
            print(f"{job.name} is paused since {in_words.moment(paused.at)}, by {paused.by}")
            return 0
        fate = "held" if job.catch_up.is_each else "skipped"
        print(f"{job.name} is paused: its due instants are {fate} until `sexton resume {job.name}`")
        return 0

    return run_async(main)


def resume(invocation: Invocation, name: str, actor: Actor) -> int:
    catalogue = invocation.catalogue
    job = catalogue.resolve(name)

    async def main() -> int:
        async with connected(invocation.settings) as (connection, _):
            released = await actions.resume_job(connection, actor, catalogue.jobs, job.name)
        print(f"{job.name} is resumed")
        return _tell(released)

    return run_async(main)


def reschedule(
    invocation: Invocation, name: str, expression: str | None, timezone: str | None, reset: bool, actor: Actor
) -> int:
    """Override a job's settings, or take the override back."""
    job = invocation.catalogue.resolve(name)
    if reset == (expression is not None) or (reset and timezone):
        raise BadUsage('give a schedule such as "0 6 * * mon-fri", or --reset for the configured one')

    async def main() -> tuple[Job, list[str]]:
        async with connected(invocation.settings) as (connection, _):
            return await reschedule_job(connection, actor, job, expression, timezone)

    changed, warnings = run_async(main)
    for warning in warnings:
        output.warn(warning)
    print(f"{job.name}: {schedule_words(changed)}" + (", as configured" if reset else ""))
    print_instants(changed, upcoming(changed, utc_now(), PREVIEW))
    return 0


def _distinct(runs: Sequence[int]) -> list[int]:
    return list(dict.fromkeys(runs))


def _tell(changed: Sequence[Changed], word: str | None = None) -> int:
    for run in changed:
        print(f"run {run.id} ({run.job}, due {in_words.moment(run.due_at)}): {run.was} → {word or run.state}")
    return 0
