"""`sexton run`: the daemon in the foreground."""

from __future__ import annotations

from daemon.cli.common import Invocation, run_async
from daemon.events import Announcer
from daemon.log import LogSubscriber, configure


def run_daemon(invocation: Invocation) -> int:
    from daemon.app import Daemon

    settings, catalogue = invocation.settings, invocation.catalogue
    logger = configure(settings.log.level, settings.log.format)
    emit = Announcer(LogSubscriber(logger, settings.log.level))

    async def main() -> int:
        return await Daemon(settings, catalogue, emit, invocation.reread).run()

    return run_async(main)
