"""The commands about backups, as typer sees them; what they do is imported when they are called."""

from __future__ import annotations

from typing import Annotated

import typer

from daemon.cli.options import By, ConfigFile, Json, Reason, actor, example

LATEST = "latest"
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `sexton backup list` calls it; latest is the newest.")]

backup = typer.Typer(name="backup", no_args_is_help=True, add_completion=False, rich_markup_mode=None)


def add_to(app: typer.Typer) -> None:
    app.add_typer(backup, name="backup", epilog=example("sexton backup create", "sexton backup COMMAND --help"))


@backup.callback()
def options(context: typer.Context, config: ConfigFile = None) -> None:
    """Make, list, verify, restore and prune backups.

    They hold every schema, the engine's own included, and stand in backup.directory.
    """


@backup.command(epilog=example("sexton backup create"))
def create(
    context: typer.Context,
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Do not restore it into a scratch database.")] = False,
    config: ConfigFile = None,
) -> None:
    """Make a backup, prove it by restoring it, and prune old ones."""
    from daemon.cli.backup import create_backup

    raise typer.Exit(create_backup(context.obj, verify=not no_verify))


@backup.command("list", epilog=example("sexton backup list --json | jq '.[0].verified_at'"))
def listing(context: typer.Context, as_json: Json = False, config: ConfigFile = None) -> None:
    """List the backups, the newest first."""
    from daemon.cli.backup import list_backups

    raise typer.Exit(list_backups(context.obj, as_json=as_json))


@backup.command(epilog=example("sexton backup verify", "sexton backup verify 20261126T030000Z"))
def verify(context: typer.Context, name: Name = LATEST, config: ConfigFile = None) -> None:
    """Restore a backup into a scratch database and compare every table.

    The scratch database is dropped in any case.
    """
    from daemon.cli.backup import verify_backup

    raise typer.Exit(verify_backup(context.obj, name))


@backup.command(
    epilog=example("sexton backup restore latest --into rehearsal", "sexton backup restore latest --replace")
)
def restore(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="Which; latest is the newest.")],
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="DB|URL", show_default=False,
                     help="Another database of the server, made if need be, or one anywhere (default: database.url)."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where it is not empty; what was there is kept under another name.")
    ] = False,
    no_owner: Annotated[
        bool, typer.Option("--no-owner", help="Everything belongs to who restores it: its roles are not there.")
    ] = False,
    reason: Reason = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:  # fmt: skip
    """Restore a backup, and hold what a person must decide afterwards.

    It is restored beside the target, compared, and renamed into place: until then nothing is changed. Runs and messages
    that were under way, and what was due since the backup, are held: see sexton status, release, waive.
    """
    from daemon.cli.backup_restore import restore_backup

    raise typer.Exit(
        restore_backup(context.obj, name, into, replace=replace, owners=not no_owner, actor=actor(by, reason))
    )


@backup.command(epilog=example("sexton backup prune"))
def prune(context: typer.Context, config: ConfigFile = None) -> None:
    """Remove old backups, but never the newest verified one.

    Old is what was taken before backup.retention.
    """
    from daemon.cli.backup import prune_backups

    raise typer.Exit(prune_backups(context.obj))
