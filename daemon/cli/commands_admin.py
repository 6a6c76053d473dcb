"""The commands about the admin, as typer sees them; what they do is imported when they are called."""

from __future__ import annotations

from typing import Annotated

import typer

from daemon.cli.common import BadUsage
from daemon.cli.options import By, ConfigFile, Json, Reason, actor, example, possible_ids


def add_to(app: typer.Typer) -> None:
    app.command(
        "token",
        epilog=example(
            "sexton token --name asha --role operator --ttl 30d", "sexton token --list", "sexton token --revoke asha"
        ),
    )(token)
    app.command("approve", epilog=example("sexton approve", "sexton approve 12", "sexton approve 12 --refuse"))(approve)
    app.command("stop-all", epilog=example('sexton stop-all --reason "wrong rates are being paid"'))(emergency_stop)
    app.command("resume-all", epilog=example("sexton resume-all --retry"))(emergency_resume)


def approve(
    context: typer.Context,
    approval: Annotated[
        int | None, typer.Argument(metavar="N", show_default=False, help="Which; without it, list what waits.")
    ] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Disagree, or take back what you asked for.")] = False,
    as_json: Json = False,
    reason: Reason = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Agree to what somebody else wants done to a sensitive job.

    Where admin.two_person is on. Without a number it lists what waits for a second person.
    """
    from daemon.cli.approvals import decide, show

    if approval is None:
        if refuse:
            raise BadUsage("--refuse: say which approval")
        raise typer.Exit(show(context.obj, as_json=as_json))
    possible_ids([approval])
    raise typer.Exit(decide(context.obj, approval, not refuse, actor(by, reason)))


def emergency_stop(context: typer.Context, reason: Reason = None, by: By = None, config: ConfigFile = None) -> None:
    """Stop everything on every node, now.

    What runs is cancelled, and nothing begins until the stop is ended. Instants that are due meanwhile are skipped,
    or held if their job catches up with each of them.
    """
    from daemon.cli.emergency import stop

    raise typer.Exit(stop(context.obj, actor(by, reason)))


def emergency_resume(
    context: typer.Context,
    retry: Annotated[bool, typer.Option("--retry", help="Also retry the runs that the stop cancelled.")] = False,
    reason: Reason = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """End an emergency stop, and release what it held."""
    from daemon.cli.emergency import resume

    raise typer.Exit(resume(context.obj, retry, actor(by, reason)))


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
    """Print a token for the admin's pages and API; list, revoke."""
    from daemon.cli import token as tokens

    if (name is not None) + listing + (revoke is not None) != 1:
        raise BadUsage("say one of --name WHO, --list and --revoke WHO|ID")
    if listing:
        raise typer.Exit(tokens.show(context.obj, everything=everything, as_json=as_json))
    if revoke is not None:
        raise typer.Exit(tokens.revoke(context.obj, revoke, actor(by, reason)))
    assert name is not None
    raise typer.Exit(tokens.issue(context.obj, name, role, ttl, actor(by, reason)))
