"""The `sexton` program: its options, its commands, and how errors leave it."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from daemon.cli import commands_admin, commands_backup, commands_data, commands_engine, commands_jobs, commands_runs
from daemon.cli.common import Invocation
from daemon.cli.options import ConfigFile, example
from daemon.version import VERSION

SECTIONS = {
    "Run": ("run", "check", "status", "demo"),
    "Jobs": ("jobs", "explain", "run-job", "pause", "resume", "reschedule"),
    "Runs": ("runs", "retry", "release", "waive", "cancel"),
    "Admin": ("token", "approve", "stop-all", "resume-all"),
    "Database and suites": ("migrate", "backup", "seed", "psql", "adopt", "preview-mail", "new-suite"),
}
INTERRUPTED = 130


class Sections(TyperGroup):
    """Help that lists the commands by what they are for, and not in one long column."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        widest = max(len(name) for name in self.commands)
        for title, names in SECTIONS.items():
            rows = [
                (name.ljust(widest), self.commands[name].get_short_help_str(formatter.width - widest - 6))
                for name in names
                if name in self.commands
            ]
            with formatter.section(title):
                formatter.write_dl(rows)


app = typer.Typer(
    name="sexton", cls=Sections, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich would cost every start 60 ms for the colours of --help
    epilog=example("sexton run-job flights.invoice_overdue --wait", "sexton COMMAND --help")
    + "\n\nExit status: 0 fine, 1 the operation failed, 2 bad usage or configuration.",
)  # fmt: skip


def print_version(wanted: bool) -> None:
    if wanted:
        print(f"sexton {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: ConfigFile = None,
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """The background-work daemon that operators trust with money."""
    context.obj = Invocation(config)


for module in (commands_engine, commands_jobs, commands_runs, commands_admin, commands_data, commands_backup):
    module.add_to(app)


def run() -> int:
    """Exit 0 fine, 1 the operation failed, 2 bad usage or configuration; 130 after Ctrl-C."""
    try:
        result = app(standalone_mode=False, prog_name="sexton")
        sys.stdout.flush()
    except BrokenPipeError:  # `sexton runs | head`: the reader has left
        _abandon_output()
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:
        from daemon.cli.failures import explained  # errors are rare; what words them is not free

        found = explained(error)
        if found is None:
            raise
        status, sentences = found
        for sentence in sentences:
            print(sentence, file=sys.stderr)
        _abandon_output()
        return status
    return int(result or 0)


def _abandon_output() -> None:
    """What could not be written is not tried again: Python would complain about it when it flushes at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
