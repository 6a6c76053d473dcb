"""The `sexton` program: its options, its commands, and how errors leave it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.common import CommandFailed, Invocation
from daemon.config import ConfigError

app = typer.Typer(
    name="sexton", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="The background-work daemon that operators trust with money.",
)  # fmt: skip


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Configuration file (default: config.toml).")
    ] = None,
) -> None:
    context.obj = Invocation(config)


@app.command("run")
def run_daemon(context: typer.Context) -> None:
    """Run the daemon in the foreground until SIGTERM or Ctrl-C."""
    from daemon.cli.run import run_daemon as run

    raise typer.Exit(run(context.obj))


def run() -> int:
    """Exit 0 fine, 1 the operation failed, 2 bad usage or configuration."""
    try:
        result = app(standalone_mode=False)
    except ConfigError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        return 2
    except CommandFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return int(result or 0)
