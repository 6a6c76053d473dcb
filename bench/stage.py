"""Where benches play: a durable PostgreSQL of their own, fresh databases on it, and children that end with us."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bench.measure import Tell
from daemon import migrate
from daemon.embedded import EmbeddedPostgres

ROOT = Path(__file__).parents[1]
SUITES = {name: f"workers.{name}" for name in ("flights", "investment", "jewellery", "productivity", "tutoring")}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Options:
    """How much of it: `quick` is a smoke test whose figures mean nothing. `scale` is a share of the full data."""

    quick: bool = False
    rounds: int = 3
    seconds: float = 60.0
    scale: float = 1.0


@dataclass
class Stage:
    """`url` is the server's own database; benches take `fresh` ones."""

    server: EmbeddedPostgres
    url: str
    folder: Path
    options: Options
    tell: Tell
    _numbers: list[int] = field(default_factory=lambda: [0])

    @property
    def postgres_pid(self) -> int:
        return self.server.pid

    async def fresh(self) -> str:
        """A migrated database of its own, everything earlier checkpointed away."""
        url = await self._created()
        connection = await asyncpg.connect(url)
        try:
            await migrate.migrate(connection, [*migrate.engine_migrations(), *migrate.suite_migrations(SUITES)])
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()
        return url

    @asynccontextmanager
    async def copy_of(self, url: str) -> AsyncIterator[str]:
        """The same database again for the block, checkpointed; nobody may be connected to the one that is copied."""
        copy = await self._created(f"TEMPLATE {_name(url)}")
        admin = await asyncpg.connect(self.url)
        try:
            await admin.execute("CHECKPOINT")
            yield copy
        finally:
            await admin.execute(f"DROP DATABASE {_name(copy)} WITH (FORCE)")
            await admin.close()

    async def _created(self, template: str = "") -> str:
        self._numbers[0] += 1
        name = f"bench_{self._numbers[0]}"
        admin = await asyncpg.connect(self.url)
        try:
            await admin.execute(f"CREATE DATABASE {name} {template} STRATEGY file_copy")
        finally:
            await admin.close()
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


@asynccontextmanager
async def stage(options: Options, tell: Tell) -> AsyncIterator[Stage]:
    """PostgreSQL with the daemon's own settings (fsync on) in a temporary directory, gone afterwards.

    A quick one is not durable: it shows that the bench works, and nothing else.
    """
    with tempfile.TemporaryDirectory(prefix="sexton-bench-") as folder:
        server = EmbeddedPostgres(Path(folder) / "state", settings=NOT_DURABLE if options.quick else {})
        url = await server.start("daemon")
        try:
            yield Stage(server, url, Path(folder), options, tell)
        finally:
            await server.stop()


async def child(function: str, *, patience: float, environment: Mapping[str, str] | None = None, **given: Any) -> Any:
    """Run `module:coroutine function` with these JSON-able arguments in a process of its own; its JSON answer."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.child", function, str(os.getpid()),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        env={**os.environ, **(environment or {})}, limit=1 << 26,
    )  # fmt: skip
    try:
        async with asyncio.timeout(patience):
            out, _ = await process.communicate(json.dumps(given).encode())
    finally:
        await ended(process)
    if process.returncode:
        raise RuntimeError(f"{function} ended with {process.returncode}")
    return json.loads(out)


async def ended(process: asyncio.subprocess.Process, grace: float = 0.0) -> None:
    """See that it is gone: asked, if there is time, else killed."""
    if process.returncode is None and grace:
        process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace)
    if process.returncode is None:
        process.kill()
    await process.wait()
