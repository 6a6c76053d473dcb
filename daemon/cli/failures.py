"""What went wrong, in a sentence with a remedy, and the exit status that goes with it. Tracebacks are for our bugs.

Errors are recognised by name: whoever raised one has its module loaded, and nobody else should have to.
"""

from __future__ import annotations

import errno
import re
import sys

from typer.exceptions import TyperException

FAILED, USAGE = 1, 2
NUMBERS = re.compile(r"Input should be a valid (integer|number), .*")
OUTPUT_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""Without a file's name they are about what a command prints."""
OURS = {
    "daemon.actions_deed.Invalid": USAGE,
    "daemon.actions_deed.Refused": FAILED,
    "daemon.adoption.NotAdoptable": FAILED,
    "daemon.admin.keys.NoKey": FAILED,
    "daemon.outlets.PortTaken": FAILED,
    "daemon.backup.errors.BackupError": FAILED,
    "daemon.backup.errors.UnknownBackup": USAGE,
    "daemon.catalogue.UnknownJob": USAGE,
    "daemon.cli.common.BadUsage": USAGE,
    "daemon.cli.common.CommandFailed": FAILED,
    "daemon.config.ConfigError": USAGE,
    "daemon.embedded_errors.EmbeddedError": FAILED,
    "daemon.migrate.MigrationError": FAILED,
    "daemon.start_checks.StartRefused": FAILED,
}
"""Errors whose text is written for the operator; the nearest class of an error decides."""

Explanation = tuple[int, list[str]]


def explained(error: Exception) -> Explanation | None:
    """Exit status and lines for standard error; None for what nobody foresaw, which keeps its traceback."""
    error = sole(error)
    if isinstance(error, TyperException):
        return _usage(error)
    for judge in (_ours, _of_the_database, _of_the_system):
        found = judge(error)
        if found is not None:
            status, sentences = found
            return status, [f"error: {sentence}" for sentence in sentences]
    return None


def sole(error: Exception) -> Exception:
    """What failed: a task group wraps what its only failing task raised."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _usage(error: TyperException) -> Explanation:
    text = NUMBERS.sub(
        lambda wrong: f"write a {'whole ' * (wrong[1] == 'integer')}number", error.format_message()
    ).strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        return USAGE, [text]
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "sexton"
    return USAGE, [f"error: {' '.join(text.split()).rstrip('.')} ({command} --help)"]


def _ours(error: Exception) -> Explanation | None:
    for kind in type(error).__mro__:
        status = OURS.get(f"{kind.__module__}.{kind.__qualname__}")
        if status is not None:
            return status, list(getattr(error, "problems", [str(error)]))
    return None


def _of_the_database(error: Exception) -> Explanation | None:
    if "asyncpg" not in sys.modules:
        return None
    import asyncpg  # loaded by whoever raised this

    from daemon.database import REFUSED, DatabaseDown, means_lost

    not_migrated = (
        asyncpg.UndefinedTableError,
        asyncpg.InvalidSchemaNameError,
        asyncpg.UndefinedFunctionError,
        asyncpg.UndefinedColumnError,
    )
    if isinstance(error, asyncpg.ClientConfigurationError):
        return USAGE, [f"database.url: {error}"]
    if isinstance(error, not_migrated):
        return FAILED, [f"the database's schema is not up to date ({error}); run: sexton migrate"]
    if isinstance(error, REFUSED):
        return FAILED, [f"the database refuses us: {error}; see database.url"]
    if isinstance(error, DatabaseDown):
        return FAILED, [f"the connection to the database was lost: {error}"]
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError) and means_lost(error):
        return FAILED, [f"the connection to the database was lost: {error}"]
    return None


def _of_the_system(error: Exception) -> Explanation | None:
    if isinstance(error, OSError) and error.filename is not None:
        return FAILED, [f"{error.filename}: {error.strerror}"]
    if isinstance(error, OSError) and error.errno in OUTPUT_LOST:
        return FAILED, [f"the output cannot be written: {error.strerror}"]
    return None
