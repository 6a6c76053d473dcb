"""The commands about the admin, as typer sees them; what they do is imported when they are called."""

from __future__ import annotations

from typing import Annotated

import typer

from daemon.cli.common import BadUsage
from daemon.cli.options import By, ConfigFile, Json, Reason, actor, example


def add_to(app: typer.Typer) -> None:
    app.command(
        "token",
        epilog=example(
            "sexton token --name asha --role operator --ttl 30d", "sexton token --list", "sexton token --revoke asha"
        ),
    )(token)


def token(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Option("--name", metavar="WHO", show_default=False, help="Whose it is, for the audit.")
    ] = None,
    role: Annotated[str, typer.Option("--role", metavar="R", help="viewer, operator or admin.")] = "viewer",
    ttl: Annotated[str, typer.Option("--ttl", metavar="T", help="How long it is good for: 12h, 30d.")] = "30d",
    listing: Annotated[bool, typer.Option("--list", help="List the valid tokens.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="With --list: the others too.")] = False,
    revoke: Annotated[
        str | None,
        typer.Option("--revoke", metavar="WHO|ID", show_default=False, help="Revoke all of a name, or one by id."),
    ] = None,
    as_json: Json = False,
    reason: Reason = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:  # fmt: skip
    """Print a token for the admin's pages and API; list and revoke."""
    from daemon.cli import token as tokens

    if (name is not None) + listing + (revoke is not None) != 1:
        raise BadUsage("say one of --name WHO, --list and --revoke WHO|ID")
    if listing:
        raise typer.Exit(tokens.show(context.obj, everything=everything, as_json=as_json))
    if revoke is not None:
        raise typer.Exit(tokens.revoke(context.obj, revoke, actor(by, reason)))
    assert name is not None
    raise typer.Exit(tokens.issue(context.obj, name, role, ttl, actor(by, reason)))
