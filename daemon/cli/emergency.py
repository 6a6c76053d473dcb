"""`sexton stop-all` and its end."""

from __future__ import annotations

from daemon import actions_emergency
from daemon.actions_deed import Actor
from daemon.actions_emergency import Ended, Stopped
from daemon.cli import output
from daemon.cli.common import Invocation, run_async
from daemon.cli.database import connected
from daemon.in_words import moment


def stop(invocation: Invocation, actor: Actor) -> int:
    """Stop everything; says what was running."""

    async def main() -> Stopped:
        async with connected(invocation.settings) as (connection, _):
            return await actions_emergency.stop_everything(connection, actor)

    done = run_async(main)
    if done.already:
        print(f"everything is stopped since {moment(done.at)}, by {done.by}")
        return 0
    ended = f"; cancelled: run {output.listed(done.running)}" if done.running else "; nothing was running"
    print(f"everything is stopped{ended}")
    output.note("nothing begins on any node until `sexton resume-all`")
    return 0


def resume(invocation: Invocation, retry: bool, actor: Actor) -> int:
    """End the stop; says what is left to decide about."""
    jobs = invocation.catalogue.jobs

    async def main() -> Ended:
        async with connected(invocation.settings) as (connection, _):
            return await actions_emergency.go_on(connection, actor, jobs, retry=retry)

    ended = run_async(main)
    print("work goes on")
    for run in ended.released:
        print(f"run {run.id} ({run.job}, due {moment(run.due_at)}): {run.was} → {run.state}")
    if ended.cancelled:
        runs = " ".join(map(str, ended.cancelled))
        print(f"ready again: run {runs}" if ended.retried else f"cancelled by the stop; to retry: sexton retry {runs}")
    return 0
