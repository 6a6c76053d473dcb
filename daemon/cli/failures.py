"""What went wrong, in a sentence with a remedy, and the exit status that goes with it. Tracebacks are for our bugs."""

from __future__ import annotations

import asyncpg
from typer.exceptions import TyperException

from daemon.cli.common import BadUsage, CommandFailed
from daemon.database import DatabaseDown, means_lost

FAILED, USAGE = 1, 2
NOT_MIGRATED = (
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedColumnError,
)
REFUSED_LOGIN = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)


def explained(error: Exception) -> tuple[int, list[str]] | None:
    """Exit status and lines for standard error; None for what nobody foresaw, which keeps its traceback."""
    if isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        inner = error.exceptions[0]  # a task group wraps what its only failing task raised
        return explained(inner)
    if isinstance(error, TyperException):
        return _usage(error)
    for judge in (_ours, _of_the_database, _of_the_system):
        found = judge(error)
        if found is not None:
            status, sentences = found
            return status, [f"error: {sentence}" for sentence in sentences]
    return None


def _usage(error: TyperException) -> tuple[int, list[str]]:
    text = error.format_message().strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        return USAGE, [text]
    context = getattr(error, "ctx", None)
    where = f" (sexton {context.info_name} --help)" if context is not None and context.parent else ""
    return USAGE, [f"error: {' '.join(text.split()).rstrip('.')}{where or ' (sexton --help)'}"]


def _ours(error: Exception) -> tuple[int, list[str]] | None:
    from daemon.actions_deed import Invalid, Refused
    from daemon.app import PortTaken
    from daemon.catalogue import UnknownJob
    from daemon.config import ConfigError
    from daemon.embedded_errors import EmbeddedError
    from daemon.migrate import MigrationError

    if isinstance(error, ConfigError):
        return USAGE, error.problems
    if isinstance(error, Refused):
        return (USAGE if isinstance(error, Invalid) else FAILED), list(error.problems)
    if isinstance(error, BadUsage | UnknownJob):
        return USAGE, [str(error)]
    if isinstance(error, CommandFailed | EmbeddedError | MigrationError | PortTaken):
        return FAILED, [str(error)]
    return None


def _of_the_database(error: Exception) -> tuple[int, list[str]] | None:
    if isinstance(error, asyncpg.ClientConfigurationError):
        return USAGE, [f"database.url: {error}"]
    if isinstance(error, NOT_MIGRATED):
        return FAILED, [f"the database's schema is not up to date ({error}); run: sexton migrate"]
    if isinstance(error, REFUSED_LOGIN):
        return FAILED, [f"the database refuses us: {error}; see database.url"]
    if isinstance(error, DatabaseDown) or (isinstance(error, asyncpg.PostgresError) and means_lost(error)):
        return FAILED, [f"the connection to the database was lost: {error}"]
    if isinstance(error, asyncpg.InterfaceError) and means_lost(error):
        return FAILED, [f"the connection to the database was lost: {error}"]
    return None


def _of_the_system(error: Exception) -> tuple[int, list[str]] | None:
    if isinstance(error, OSError) and error.filename is not None:
        return FAILED, [f"{error.filename}: {error.strerror}"]
    return None
