"""What a job says in the log; where `cron_lines` is set, in the format of the shop's earlier scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from daemon import Context


@contextmanager
def cron_lines(ctx: Context, task: str, purpose: str) -> Iterator[Callable[[str], None]]:
    """Yields what says that something was done. With `cron_lines` start, end and failure have their lines, too.

    `task` is the job's name in that format, `purpose` what follows "Failed to".
    """
    wanted: bool = ctx.settings.cron_lines

    def say(message: str) -> None:
        ctx.log.info("%s", line(ctx.now(), task, "success", f"[Cron] {message}") if wanted else message)

    def mark(status: str) -> None:
        if wanted:
            ctx.log.info("%s", line(ctx.now(), task, status, f"[Cron] run {ctx.run_id}, try {ctx.attempt}"))

    mark("started")
    try:
        yield say
        mark("finished")
    except Exception as error:
        if wanted:
            said = f"[Cron Error] Failed to {purpose}: {type(error).__name__}: {error}"
            ctx.log.error("%s", line(ctx.now(), task, "error", said))  # noqa: TRY400 - the engine logs the traceback
        raise


def line(at: datetime, task: str, status: str, message: str) -> str:
    """`[2026-11-22T06:30:00.000Z] [task] status: message`, in one line whatever the message."""
    instant = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"[{instant}] [{task}] {status}: {' '.join(message.split())}"
