"""The commands about the database and the suites, as typer sees them; what they do is imported when they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.options import ConfigFile, example


def add_to(app: typer.Typer) -> None:
    app.command("migrate", epilog=example("sexton migrate --config /etc/sexton/config.toml"))(migrate)
    app.command("seed", epilog=example("sexton seed flights --scale 2"))(seed)
    app.command("psql", epilog=example("sexton psql -- -c 'SELECT state, count(*) FROM sexton.run GROUP BY 1'"))(psql)
    app.command("adopt", epilog=example("sexton adopt jewellery --check"))(adopt)
    app.command("preview-mail", epilog=example("sexton preview-mail productivity.weekly_review --to review.html"))(
        preview_mail
    )
    app.command("new-suite", epilog=example("sexton new-suite billing --into ~/suites"))(new_suite)


def migrate(context: typer.Context, config: ConfigFile = None) -> None:
    """Apply the pending migrations of the engine and all suites."""
    from daemon.cli.migrate import migrate_database

    raise typer.Exit(migrate_database(context.obj))


def seed(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(metavar="SUITE", show_default=False, help="Such as flights.")],
    scale: Annotated[
        float, typer.Option("--scale", metavar="N", help="How much of it: 1 is the sample as it is.")
    ] = 1.0,
    into_this_database: Annotated[
        bool, typer.Option("--into-this-database", help="Even though it is not the embedded one and not empty.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Load a suite's sample data, as far as it is not there yet.

    Refused in a database of your own where the suite has rows already: invented data does not belong there.
    """
    from daemon.cli.seed import seed_suite

    raise typer.Exit(seed_suite(context.obj, suite, scale, into_this_database=into_this_database))


def psql(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- ARGS", show_default=False, help="Handed to psql as they are."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Open PostgreSQL's own shell on the configured database."""
    from daemon.cli.psql import psql as open_psql

    raise typer.Exit(open_psql(context.obj, arguments or []))


def adopt(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(metavar="SUITE", show_default=False, help="Such as jewellery.")],
    check: Annotated[
        bool, typer.Option("--check", help="Hold the database against it, and name each difference with its remedy.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Show or check what a suite needs of tables you have.

    Nothing is changed. docs/adopting.md shows how views of your tables are put under the suite's names.
    """
    from daemon.cli.adopt import adopt as adopt_tables

    raise typer.Exit(adopt_tables(context.obj, suite, check=check))


def preview_mail(
    context: typer.Context,
    template: Annotated[
        str | None, typer.Argument(metavar="TEMPLATE", show_default=False, help="Such as productivity.weekly_review.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", show_default=False,
                     help="Its suffix says what: .html for a browser, .txt the text, .eml the whole message."),
    ] = None,
    config: ConfigFile = None,
) -> None:  # fmt: skip
    """Show a mail as it would arrive, with sample data.

    Without TEMPLATE, all mails are listed with their subjects. Needs no database and no mail server.
    """
    from daemon.cli.preview_mail import preview_mail as preview

    raise typer.Exit(preview(context.obj, template, to))


def new_suite(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="Package and schema of the suite.")],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Where its folder is made.")] = Path(),
    config: ConfigFile = None,
) -> None:
    """Write a new suite to start from, and its test."""
    from daemon.cli.new_suite import new_suite as write

    raise typer.Exit(write(context.obj, name, into))
