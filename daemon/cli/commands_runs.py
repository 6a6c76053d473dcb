"""The commands about runs, as typer sees them; what they do is imported when they are called."""

from __future__ import annotations

from typing import Annotated

import typer

from daemon.cli.options import By, ConfigFile, Json, Reason, RunIds, SomeRunIds, actor, example, possible_ids


def add_to(app: typer.Typer) -> None:
    app.command("runs", epilog=example("sexton runs flights.invoice_overdue --state failed --limit 5"))(runs)
    app.command("retry", epilog=example("sexton retry 1234", "sexton retry flights.flight_processing_queue --all"))(
        retry
    )
    app.command("release", epilog=example("sexton release 1234 1235", "sexton release --job flights.invoice_overdue"))(
        release
    )
    app.command("waive", epilog=example('sexton waive 1234 --reason "paid by hand on 3 May"'))(waive)
    app.command("cancel", epilog=example("sexton cancel 1234 --wait"))(cancel)


def runs(
    context: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="JOB", show_default=False, help="Only this job's (name or alias).")
    ] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="S", show_default=False,
                     help="waiting, held, ready, running, succeeded, failed, skipped, missed or cancelled."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many.")] = 20,
    as_json: Json = False,
    config: ConfigFile = None,
) -> None:  # fmt: skip
    """List runs, the newest first."""
    from daemon.cli.runs import show_runs

    raise typer.Exit(show_runs(context.obj, job, state, limit, as_json=as_json))


def retry(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="RUN|QUEUE", show_default=False, help="A run's id, or a queue.")],
    keys: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="KEY", show_default=False, callback=possible_ids, help="Dead items of the queue (or more runs)."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead items of the queue.")] = False,
    reason: Reason = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Try runs, or the dead items of a queue, again.

    Runs that failed, were cancelled, skipped or missed get all their tries anew, at once.
    """
    from daemon.cli.act import retry as retry_it

    raise typer.Exit(retry_it(context.obj, what, keys or [], everything, actor(by, reason)))


def release(
    context: typer.Context,
    runs: RunIds = None,
    job: Annotated[
        str | None, typer.Option("--job", metavar="JOB", show_default=False, help="All held runs of this job.")
    ] = None,
    reason: Reason = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Let held runs go."""
    from daemon.cli.act import release as release_them

    raise typer.Exit(release_them(context.obj, runs or [], job, actor(by, reason)))


def waive(
    context: typer.Context, runs: SomeRunIds, reason: Reason = None, by: By = None, config: ConfigFile = None
) -> None:
    """Settle runs that hold up later ones, without running them.

    For jobs that catch up with each instant, in order. Your name is kept with it.
    """
    from daemon.cli.act import waive as waive_them

    raise typer.Exit(waive_them(context.obj, runs, actor(by, reason)))


def cancel(
    context: typer.Context,
    runs: SomeRunIds,
    wait: Annotated[bool, typer.Option("--wait", help="See running ones stop, for up to 10 seconds.")] = False,
    reason: Reason = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Cancel runs; running ones are asked to stop."""
    from daemon.cli.act import cancel as cancel_them

    raise typer.Exit(cancel_them(context.obj, runs, wait, actor(by, reason)))
