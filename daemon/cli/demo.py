"""`sexton demo`: the daemon at work on a suite's sample data, while one watches.

A suite takes part with a `demo.py`: `PROGRESS` (a statement: done, total), `WORKING` and `CLOSING` (what the two
bars say), `AFTERWARDS` (job and due instant of the runs to ask for when the queue is empty) and `SUMMARY` (titled
statements whose rows are shown at the end).
"""

from __future__ import annotations

import asyncio
import importlib
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from types import ModuleType
from typing import NoReturn

import asyncpg

from daemon import actions
from daemon.actions_deed import Actor, AlreadyCovered
from daemon.app import Daemon, leave_now
from daemon.cli.common import BadUsage, CommandFailed, Invocation, run_async
from daemon.cli.demo_load import load_apart, seed_command
from daemon.cli.demo_screen import Screen
from daemon.events import Announcer, RunEnded
from daemon.log import LogSubscriber, configure
from daemon.naming import did_you_mean
from daemon.setting_addresses import parse_listen
from daemon.store import EMBEDDED

LOOK_EVERY = 0.25
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - shown, not listened on


def run_demo(invocation: Invocation, suite: str, scale: float) -> NoReturn:
    """Run the daemon, load the sample, show what happens; goes on until Ctrl-C, which ends the process."""
    settings, catalogue = invocation.settings, invocation.catalogue
    if settings.database.url != EMBEDDED:
        raise CommandFailed(
            'sample data does not belong into a database of your own: the demo wants database.url = "embedded"'
        )
    if suite not in catalogue.packages:
        raise BadUsage(f"no suite {suite!r} is enabled{did_you_mean(suite, catalogue.packages)}")
    package = catalogue.packages[suite]
    try:
        show = importlib.import_module(f"{package}.demo")
    except ModuleNotFoundError:
        raise CommandFailed(f"the suite {suite!r} has no demo") from None
    screen = Screen()
    emit = Announcer(LogSubscriber(configure("warning", settings.log.format), "warning"))

    async def main() -> int:
        daemon = Daemon(settings, catalogue, emit, invocation.reread)
        seed = seed_command(suite, scale, invocation.config_path)
        demo = Demo(daemon, screen, seed, show)
        emit.subscribe(demo.hear)
        watching = asyncio.create_task(demo.show_it())
        watching.add_done_callback(demo.leave_if_it_failed)
        try:
            status = await daemon.run()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            screen.close()
        if demo.trouble is not None:
            raise demo.trouble
        return status

    leave_now(run_async(main))


def program() -> str:
    """What to type: the path we were called by, as `make run` does, where a shell would not find `sexton`."""
    return sys.argv[0] if sys.argv[0].endswith("/sexton") and shutil.which("sexton") is None else "sexton"


def metrics_words(listen: str, port: int | None) -> str:
    """Where to look at the metrics, if they are served: `listen` as configured, `port` as it came to be."""
    if listen == "off":
        return ""
    host = parse_listen(listen)[0]
    host = ANYWHERE.get(host, host)
    return f"; its metrics are on http://{f'[{host}]' if ':' in host else host}:{port}/metrics"


class Demo:
    """Load, watch the queue shrink, ask for what comes afterwards, show the sums."""

    def __init__(self, daemon: Daemon, screen: Screen, seed: Sequence[str], show: ModuleType) -> None:
        self.daemon, self.screen, self.seed, self.show = daemon, screen, seed, show
        self._loaded = False
        self._ended: dict[int, RunEnded] = {}
        self._news = asyncio.Event()
        self.trouble: BaseException | None = None

    def leave_if_it_failed(self, task: asyncio.Task[None]) -> None:
        """A demo that cannot go on leaves at once, and says why afterwards; the database keeps what was done."""
        if not task.cancelled() and task.exception() is not None and not self.daemon.stopping:
            self.trouble = task.exception()
            self.daemon.stop("the demo's end")

    def hear(self, event: object) -> None:
        if isinstance(event, RunEnded) and event.retry_in is None:
            self._ended[event.run] = event
            self._news.set()

    async def show_it(self) -> None:
        await self.daemon.ready.wait()
        assert self.daemon.urls is not None
        url, say = self.daemon.urls.url, self.screen.say
        say("the daemon is ready" + metrics_words(self.daemon.settings.metrics.listen, self.daemon.port))
        connection, second = await asyncpg.connect(url), await asyncpg.connect(url)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._load())
                both.create_task(self._work(second))
            await self._close_periods(connection)
            for title, statement in self.show.SUMMARY.items():
                self.screen.table(title, [dict(row) for row in await connection.fetch(statement.text)])
        finally:
            await connection.close()
            await second.close()
        say("The daemon keeps running; Ctrl-C stops it, and the same command continues.")
        say("Meanwhile, elsewhere: " + " · ".join(f"{program()} {command}" for command in ("status", "runs", "psql")))

    async def _load(self) -> None:
        self.screen.loaded(await load_apart(self.seed, self.screen.loading))
        self._loaded = True

    async def _work(self, connection: asyncpg.Connection) -> None:
        """Show done of total until all is loaded and nothing is left to do."""
        while True:
            loaded = self._loaded
            row = await connection.fetchrow(self.show.PROGRESS.text)
            assert row is not None
            self.screen.working(self.show.WORKING, row["done"], row["total"])
            if loaded and row["done"] >= row["total"]:
                return
            await asyncio.sleep(LOOK_EVERY)

    async def _close_periods(self, connection: asyncpg.Connection) -> None:
        """Ask for the runs that the sample's dates make interesting, once each, in order."""
        wanted: list[tuple[str, datetime]] = self.show.AFTERWARDS
        actor = Actor("demo", "cli", "the sample's billing periods have ended")
        for number, (name, due_at) in enumerate(wanted):
            self.screen.working(self.show.CLOSING, number, len(wanted))
            try:
                run = await actions.request_run(connection, actor, self.daemon.catalogue.resolve(name), due_at=due_at)
            except AlreadyCovered:
                continue
            await self._ending_of(run)
        self.screen.working(self.show.CLOSING, len(wanted), len(wanted))

    async def _ending_of(self, run: int) -> None:
        while run not in self._ended:
            self._news.clear()
            await self._news.wait()
        ended = self._ended[run]
        if ended.outcome != "succeeded":
            raise CommandFailed(f"run {run} of {ended.job} {ended.outcome}: {ended.error}")
