"""The commands about the daemon itself, as typer sees them; what they do is imported when they are called."""

from __future__ import annotations

from typing import Annotated

import typer

from daemon.cli.options import ConfigFile, Json, example


def add_to(app: typer.Typer) -> None:
    app.command("run", epilog=example("sexton run --config /etc/sexton/config.toml"))(run)
    app.command("check", epilog=example("sexton check --config config.toml --database"))(check)
    app.command("status", epilog=example("sexton status --json | jq .attention"))(status)
    app.command("demo", epilog=example("sexton demo flights --scale 0.1"))(demo)


def run(context: typer.Context, config: ConfigFile = None) -> None:
    """Run the daemon in the foreground until SIGTERM or Ctrl-C.

    SIGTERM lets running work finish (node.drain_timeout), a second one hurries. SIGHUP reads the configuration again.
    """
    from daemon.cli.run import run_daemon

    run_daemon(context.obj)


def demo(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="The suite to show.")] = "flights",
    scale: Annotated[
        float, typer.Option(metavar="N", help="How much sample data: 1 is all of it once.", min=0.001)
    ] = 1.0,
    config: ConfigFile = None,
) -> None:
    """Run the daemon on a suite's sample data and watch it work.

    The sample is loaded into the embedded database once; calling again continues where the last call stopped.
    """
    from daemon.cli.demo import run_demo

    run_demo(context.obj, suite, scale)


def check(
    context: typer.Context,
    database: Annotated[
        bool, typer.Option("--database", help="Also ask the database: which migrations are pending or edited?")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Check configuration and suites, and print everything wrong."""
    from daemon.cli.check import check as check_all

    raise typer.Exit(check_all(context.obj, database=database))


def status(context: typer.Context, as_json: Json = False, config: ConfigFile = None) -> None:
    """Show nodes, queues, what is due and what wants attention.

    Exit status 0 when a daemon is alive and the database answers, else 1.
    """
    from daemon.cli.status import show_status

    raise typer.Exit(show_status(context.obj, as_json=as_json))
