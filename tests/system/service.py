"""Sexton as a service of the machine: its unit, its journal, its database, its account."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from tests.system.account import Account, Totals, account
from tests.system.daemons import REQUEST
from tests.system.machine import Machine
from tests.system.node import ROOT, SUITES, Node
from tests.system.place import Place, copied
from tests.system.stage import GIVE, WITHHOLD
from tests.system.waiting import PATIENCE, row

UNIT = "sexton.service"
STATE = "var/lib/private/sexton"
SOURCE = "opt/source"
SOURCES = ("daemon", "workers", "systemd", "docs", "monitoring", "config.toml", "pyproject.toml", "README.md",
           "LICENSE", "requirements.lock", "Makefile")  # fmt: skip
SUITES_INSIDE = "/opt/suites"
LOOK_EVERY = 0.1
INGESTED = "SELECT NOT EXISTS (SELECT FROM flights.flight_processing_queue WHERE state <> 'DEAD')"
PROCESSES = f"""
    for pid in $(cat /sys/fs/cgroup/system.slice/{UNIT}/cgroup.procs 2>/dev/null); do
        echo "$pid $(tr '\\0' ' ' 2>/dev/null </proc/$pid/cmdline)"
    done
"""
ENVIRONMENT = {
    "SEXTON_SUITES": "workers.flights,trial",
    "SEXTON_LOG__LEVEL": "debug",
    "SEXTON_NODE__LEASE": "10s",
    "SEXTON_POOL__SIZE": "2",
    "SEXTON_QUEUES__RETRY_DELAY": "100ms",
    "SEXTON_DATABASE__FSYNC": "false",
    "PYTHONPATH": SUITES_INSIDE,
}


def lay_out_sources(root: Path) -> None:
    """The source tree and the trial suite, where a machine finds them whatever is mounted here."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in SOURCES:
        here, there = ROOT / name, root / SOURCE / name
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(here, there, ignore=ignored) if here.is_dir() else shutil.copy2(here, there)
    shutil.copytree(SUITES, root / SUITES_INSIDE.lstrip("/"), ignore=ignored)


class Service:
    """One test's: its state is empty, or a copy of a seeded cluster, and its unit as installed."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.journal: Node | None = None
        self.since = ""

    @property
    def state(self) -> Path:
        return self.machine.root / STATE

    async def reset(self) -> None:
        """Stopped, unchanged, without state; its journal is followed from here on."""
        await self.machine.run("systemctl", "stop", UNIT, check=False)
        await self.machine.run("systemctl", "reset-failed", UNIT, check=False)
        await asyncio.to_thread(shutil.rmtree, self.state, ignore_errors=True)
        await self.configure()
        await self.drop_in()
        self.since = f"--since=@{time.time():.3f}"
        self.journal = Node(
            await self.machine.started("journalctl", "-u", UNIT, "-f", "-o", "cat", "-n", "all", self.since), {}
        )

    async def load(self, cluster: Path) -> None:
        """Its state is a copy of this cluster, owned by root: the unit gives it to its user."""
        self.state.parent.mkdir(mode=0o700, exist_ok=True)
        await asyncio.to_thread(copied, cluster, self.state)

    async def configure(self, **settings: str) -> None:
        """What the environment file says; the next start or reload reads it."""
        lines = (f"{name}={value}\n" for name, value in {**ENVIRONMENT, **settings}.items())
        (self.machine.root / "etc/sexton/environment").write_text("".join(lines))

    async def drop_in(self, **lines: str) -> None:
        """An administrator's change to the unit; none without any."""
        folder = self.machine.root / f"etc/systemd/system/{UNIT}.d"
        shutil.rmtree(folder, ignore_errors=True)
        if lines:
            folder.mkdir()
            text = "".join(f"{name}={value}\n" for name, value in lines.items())
            (folder / "test.conf").write_text(f"[Service]\n{text}")
        await self.machine.run("systemctl", "daemon-reload")

    async def control(self, verb: str, *options: str) -> None:
        await self.machine.run("systemctl", verb, *options, UNIT)

    async def facts(self) -> Mapping[str, str]:
        """What `systemctl show` says."""
        said = await self.machine.run("systemctl", "show", UNIT)
        return {key: value for key, _, value in (line.partition("=") for line in said.splitlines())}

    async def becomes(self, seconds: float = PATIENCE, **wanted: str) -> Mapping[str, str]:
        """The facts as soon as they are these."""
        deadline = time.monotonic() + seconds
        while True:
            facts = await self.facts()
            found = {key: facts.get(key) for key in wanted}
            if found == wanted:
                return facts
            assert time.monotonic() < deadline, f"{found} and not {wanted} after {seconds:g} s"
            await asyncio.sleep(LOOK_EVERY)

    async def says(self, pattern: str, count: int = 1, seconds: float = PATIENCE) -> Mapping[str, object]:
        assert self.journal is not None
        return await self.journal.says(pattern, count, seconds)

    def said(self, pattern: str) -> Sequence[Mapping[str, object]]:
        assert self.journal is not None
        return self.journal.said(pattern)

    async def withhold(self) -> None:
        """Take the flights out of the queue, to `give` them a few at a time."""
        async with self.connection() as connection:
            await connection.execute(WITHHOLD)

    async def give(self, flights: int | None = None) -> None:
        """So many of the flights that were withheld, or all of them."""
        async with self.connection() as connection:
            await connection.execute(GIVE, flights)

    async def ingested(self) -> None:
        """Return when every flight is billed."""
        async with self.connection() as connection:
            await row(connection, INGESTED)

    async def processes(self) -> dict[int, str]:
        """The processes in the unit's control group, by their number in the machine: what they run."""
        said = await self.machine.run("sh", "-c", PROCESSES)
        return {int(pid): words for pid, _, words in (line.partition(" ") for line in said.splitlines())}

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """To the database that the service runs, from outside."""
        opened = await asyncpg.connect(
            host=str(self.machine.root / STATE / "postgres-17/run"), user="sexton", database="sexton"
        )
        try:
            yield opened
        finally:
            await opened.close()

    async def ask_for(self, job: str, **arguments: object) -> int:
        """A run by hand."""
        async with self.connection() as connection:
            (row,) = await connection.fetch(REQUEST, job, json.dumps(arguments), 1)
            await connection.execute("SELECT pg_notify('sexton', 'ready')")
            return int(row["id"])

    async def balance(self, expected: Totals | None = None) -> Account:
        """Called when the service is stopped: its state is copied out and looked at here."""
        with tempfile.TemporaryDirectory(prefix="sexton-") as name:
            copy = Path(name) / "state"
            await asyncio.to_thread(_copied_as_ours, self.state, copy)
            async with Place(copy).connection() as connection:
                return await account(connection, expected)

    async def close(self) -> None:
        if self.journal is not None:
            await self.journal.kill()


def _copied_as_ours(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("run", "*.lock", "*.pid"))
