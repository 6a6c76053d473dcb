"""What the tests of the embedded PostgreSQL share: a cluster to copy, and owners in other processes."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import asyncpg

from daemon import embedded_process as processes
from daemon.embedded import EmbeddedPostgres
from daemon.embedded_cluster import Layout

FAST = {"fsync": "off"}
PATIENCE = 60.0
ROOT = Path(__file__).parents[2]

# argv: state directory, "daemon" or "guest". Prints each event's name (and its last field), "up PID URL" when it
# is up, "down" when it has stopped, which it does when its standard input ends.
_OWNER = """
import asyncio, dataclasses, sys
from pathlib import Path
import uvloop
from daemon.embedded import EmbeddedPostgres, attach, open_database

def say(*words):
    print(*words, flush=True)

def event(value):
    fields = dataclasses.astuple(value)
    say(type(value).__name__, *(fields[-1:]))

async def until_eof():
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

async def main(state, role):
    options = dict(settings={"fsync": "off"}, on_event=event)
    if role == "guest":
        async with open_database(state, **options) as url:
            say("up", 0, url)
            await until_eof()
    else:
        server = EmbeddedPostgres(state, **options)
        url = await server.start(role)
        say("up", server.pid, url)
        await until_eof()
        await server.stop()
    say("down")

uvloop.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


class Owner:
    """A process that runs or uses the database of a state directory."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.pid = process.pid
        self.lines: list[str] = []

    async def hears(self, start: str) -> str:
        """The next line that starts so; AssertionError with all lines when the process ends instead."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stdout.readline()).decode().strip():
                self.lines.append(line)
                if line.startswith(start):
                    return line
        raise AssertionError(f"no {start!r} in:\n" + "\n".join(self.lines))

    async def up(self) -> tuple[int, str]:
        """(postmaster's pid, URL); the pid is 0 for a guest."""
        _, pid, url = (await self.hears("up")).split()
        return int(pid), url

    async def finish(self) -> None:
        """Let it stop in order."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.hears("down")
        assert await asyncio.wait_for(self.process.wait(), PATIENCE) == 0

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@contextlib.asynccontextmanager
async def owner(
    state: Path, role: str, *, before: tuple[str, ...] = (), env: Mapping[str, str] | None = None
) -> AsyncIterator[Owner]:
    """Start an owner; at the end it is killed if it still runs. `before` is an argv prefix."""
    process = await asyncio.create_subprocess_exec(
        *(*before, sys.executable, "-c", _OWNER, str(state), role),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
    )
    try:
        yield Owner(process)
    finally:
        if process.returncode is None:
            process.kill()
        assert process.stdout is not None
        await process.communicate()  # also closes the pipes


@contextlib.asynccontextmanager
async def started(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """`server` as a daemon's, stopped at the end."""
    url = await server.start("daemon")
    try:
        yield url
    finally:
        await server.stop()


async def value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url, timeout=60)
    try:
        result: object = await connection.fetchval(query)
        return result
    finally:
        await connection.close()


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=60)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def make_cluster(state: Path) -> Path:
    """`state` with a complete cluster in it that nothing runs."""
    async with started(EmbeddedPostgres(state, settings=FAST)):
        pass
    return state


@contextlib.contextmanager
def copied(cluster: Path, state: Path) -> Iterator[Path]:
    """A copy of `cluster`; at the end no process of its database may run, and it is removed (40 MB)."""
    shutil.copytree(cluster, state)
    try:
        yield state
        assert leftovers(state) == []
    finally:
        shutil.rmtree(state)


def leftovers(state: Path) -> list[int]:
    """Pids of every process that belongs to the database of `state`."""
    found: list[int] = []
    for home in state.resolve().glob("postgres-*"):
        marker = Layout(home.parent, int(home.name.rpartition("-")[2])).marker
        found += processes.postmasters(marker) + processes.children(marker)
    return found


def log_size(state: Path) -> int:
    """Bytes of the server's log so far; `log_since` reads on from there."""
    log = state / "postgres-17/server.log"
    return log.stat().st_size if log.exists() else 0


def log_since(state: Path, start: int = 0) -> str:
    return (state / "postgres-17/server.log").read_bytes()[start:].decode()


async def ended(pid: int) -> bool:
    """Wait for a process that is not ours."""
    return await processes.wait_exit(pid, PATIENCE)


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    os.kill(pid, number)
