"""`sexton run`: the daemon in the foreground."""

from __future__ import annotations

import faulthandler
from typing import NoReturn

from daemon.cli.common import Invocation, run_async
from daemon.events import Announcer
from daemon.log import LogSubscriber, configure


def run_daemon(invocation: Invocation) -> NoReturn:
    """Run until told to stop, then end the process: the interpreter's own tidying up would take as long again."""
    from daemon.app import Daemon, leave_now

    settings, catalogue = invocation.settings, invocation.catalogue
    faulthandler.enable()  # the watchdog's SIGABRT leaves every thread's stack in the log
    logger = configure(settings.log.level, settings.log.format)
    emit = Announcer(LogSubscriber(logger, settings.log.level))

    async def main() -> int:
        return await Daemon(settings, catalogue, emit, invocation.reread).run()

    leave_now(run_async(main))
