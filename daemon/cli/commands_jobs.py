"""The commands about jobs, as typer sees them; what they do is imported when they are called."""

from __future__ import annotations

from typing import Annotated

import typer

from daemon.cli.options import By, ConfigFile, JobName, Json, Reason, actor, example


def add_to(app: typer.Typer) -> None:
    app.command("jobs", epilog=example("sexton jobs --json"))(jobs)
    app.command("explain", epilog=example("sexton explain flights.invoice_overdue --from 2026-10-24 --count 5"))(
        explain
    )
    app.command("run-job", epilog=example("sexton run-job flights.invoice_overdue --due-at 2026-11-22T08:00 --wait"))(
        run_job
    )
    app.command("pause", epilog=example('sexton pause flights.invoice_overdue --reason "rates are wrong"'))(pause)
    app.command("resume", epilog=example("sexton resume flights.invoice_overdue"))(resume)
    app.command(
        "reschedule",
        epilog=example('sexton reschedule flights.invoice_overdue "0 6 * * mon-fri" --timezone Europe/Zurich'),
    )(reschedule)


def jobs(context: typer.Context, as_json: Json = False, config: ConfigFile = None) -> None:
    """List all jobs: schedule, next due, how the last run went."""
    from daemon.cli.jobs import show_jobs

    raise typer.Exit(show_jobs(context.obj, as_json=as_json))


def explain(
    context: typer.Context,
    job: JobName,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="T", show_default=False, help="From this instant on (default: after now)."),
    ] = None,
    count: Annotated[int, typer.Option("--count", metavar="N", help="How many instants.")] = 10,
    as_json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Show when a job is due, and what clock changes do to it.

    Needs no database, and so knows nothing of overrides: `sexton jobs` does.
    """
    from daemon.cli.explain import explain_job

    raise typer.Exit(explain_job(context.obj, job, start, count, as_json=as_json))


def run_job(
    context: typer.Context,
    job: JobName,
    due_at: Annotated[
        str | None,
        typer.Option("--due-at", metavar="T", show_default=False,
                     help="A due instant that has come, in the job's zone unless it has an offset (default: now)."),
    ] = None,
    args: Annotated[
        str | None, typer.Option("--args", metavar="JSON", show_default=False, help="Its arguments, a JSON object.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Even if it ran for that date before.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the outcome; exit 1 if it failed.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what a run would do, for jobs that can.")] = False,
    reason: Reason = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:  # fmt: skip
    """Run a job now and print the run's id.

    A running daemon performs it; without one, it is performed here, by the same rules, and its outcome printed.
    """
    from daemon.cli.run_job import run_job as run_it

    raise typer.Exit(
        run_it(context.obj, job, due_at=due_at, args=args, again=again, wait=wait, dry=dry, actor=actor(by, reason))
    )


def pause(
    context: typer.Context, job: JobName, reason: Reason = None, by: By = None, config: ConfigFile = None
) -> None:
    """Stop a job from running until it is resumed.

    Its due instants are skipped, or held if it catches up with each of them.
    """
    from daemon.cli.act import pause as pause_it

    raise typer.Exit(pause_it(context.obj, job, actor(by, reason)))


def resume(
    context: typer.Context, job: JobName, reason: Reason = None, by: By = None, config: ConfigFile = None
) -> None:
    """Undo a pause, and release what the pause held."""
    from daemon.cli.act import resume as resume_it

    raise typer.Exit(resume_it(context.obj, job, actor(by, reason)))


def reschedule(
    context: typer.Context,
    job: JobName,
    cron: Annotated[
        str | None,
        typer.Argument(metavar="CRON", show_default=False, help='A cron expression, "every 30s" or "ondemand".'),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", show_default=False, help="Such as Europe/Zurich.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Back to the configured schedule.")] = False,
    reason: Reason = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Override a job's schedule, or go back to the configured one.

    Shows when it is due next. Running daemons follow at once.
    """
    from daemon.cli.act import reschedule as reschedule_it

    raise typer.Exit(reschedule_it(context.obj, job, cron, timezone, reset, actor(by, reason)))
