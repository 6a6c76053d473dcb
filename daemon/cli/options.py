"""The options that several commands share, each with its one help text."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli.common import BadUsage

if TYPE_CHECKING:
    from daemon.actions_deed import Actor


LARGEST_ID = 2**63 - 1
"""The database's bigint."""


def remember_config(context: typer.Context, value: Path | None) -> Path | None:
    """`--config` after the command's name counts as it does before it; the later one wins."""
    if value is not None and context.obj is not None:
        context.obj.config_path = value
    return value


def operator() -> str:
    """Who is at the keyboard: `$SUDO_USER` before `$USER`, because root is nobody in particular."""
    named = os.environ.get("SUDO_USER") or os.environ.get("USER")
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a name, as in many containers
        return f"uid {os.getuid()}"


def example(*lines: str) -> str:
    """The end of a command's help: its lines as they are, neither joined nor wrapped."""
    return "\n".join(["\b", "Example:", *(f"  {line}" for line in lines)])


def possible_ids(ids: list[int] | None) -> list[int] | None:
    """As they are. Raises `BadUsage` for one that the database has no room for."""
    for number in ids or ():
        if not -LARGEST_ID <= number <= LARGEST_ID:
            raise BadUsage(f"{number}: no id is larger than {LARGEST_ID}")
    return ids


def actor(by: str | None, reason: str | None) -> Actor:
    from daemon.actions_deed import Actor  # brings the database driver, which --help does without

    return Actor(by or operator(), "cli", reason)


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", callback=remember_config, show_default=False,
        help="Configuration file (default: $SEXTON_CONFIG, ./config.toml, /etc/sexton/config.toml).",
    ),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, keys in a fixed order.")]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", show_default=False,
                 help="Who is doing this, for the audit (default: $SUDO_USER or $USER)."),
]  # fmt: skip
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", show_default=False, help="Why, for the audit.")]
JobName = Annotated[str, typer.Argument(metavar="JOB", show_default=False, help="A job's name or alias.")]
RunIds = Annotated[
    list[int] | None, typer.Argument(metavar="RUN", show_default=False, callback=possible_ids, help="Ids of runs.")
]
SomeRunIds = Annotated[
    list[int], typer.Argument(metavar="RUN", show_default=False, callback=possible_ids, help="Ids of runs.")
]
