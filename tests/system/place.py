"""Where a test's database is: a copy of a seeded cluster, run by the daemon itself or by the test."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from daemon import embedded_process as processes
from daemon.embedded import EmbeddedPostgres, ExitKind, open_database
from daemon.embedded_cluster import Layout, read_pid_file, url_of

LOOSE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
DEBIANS = Path("/usr/lib/postgresql/15/bin")


def external_bindir() -> Path | None:
    """Another major than ours where there is one, so that both are tried. None: the wheel's."""
    if named := os.environ.get("SEXTON_TEST_PG_BINDIR"):
        return Path(named)
    return DEBIANS if (DEBIANS / "postgres").exists() else None


def copied(source: Path, target: Path) -> Path:
    """A stopped cluster, copied without a byte moved where the file system can."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True, timeout=60)
    return target


class Place:
    """`folder` is a state directory with a cluster. Embedded: the daemon runs it, and we look in as guests."""

    kind = "embedded"

    def __init__(self, folder: Path, bindir: Path | None = None) -> None:
        self.folder = folder
        self.bindir = bindir

    async def start(self) -> None:
        """Nothing: the daemon does."""

    async def stop(self) -> None:
        """Nothing: the daemon did."""

    def environment(self) -> dict[str, str]:
        """What points a daemon here."""
        named = {"SEXTON_PG_BINDIR": str(self.bindir)} if self.bindir else {}
        return {**named, "SEXTON_DATABASE__STATE_DIR": str(self.folder), "SEXTON_DATABASE__FSYNC": "false"}

    @property
    def layout(self) -> Layout:
        (home,) = self.folder.resolve().glob("postgres-*")
        return Layout(home.parent, int(home.name.rpartition("-")[2]))

    @property
    def postmaster(self) -> int:
        """The pid of the server that runs now."""
        (pid,) = processes.postmasters(self.layout.marker)
        return pid

    @property
    def url(self) -> str:
        """Of the server that runs now."""
        found = read_pid_file(self.layout.data)
        assert found is not None, f"no server runs on {self.layout.data}"
        return url_of(found.socket_dir)

    def left_behind(self) -> list[int]:
        """Processes of this database; an external server is expected to have been stopped."""
        marker = self.layout.marker
        return processes.postmasters(marker) + processes.children(marker)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """One to the database, whether or not a daemon runs it just now."""
        async with open_database(self.folder, bindir=self.bindir, settings=LOOSE) as url:
            opened = await asyncpg.connect(url)
            try:
                yield opened
            finally:
                await opened.close()

    def control(self) -> Mapping[str, str]:
        """What pg_controldata says of the stopped cluster."""
        for program in ("postgres", "pg_controldata"):
            assert (self._programs / program).exists()
        said = subprocess.run(
            [str(self._programs / "pg_controldata"), str(self.layout.data)],
            capture_output=True, text=True, check=True, timeout=20, env={"LC_ALL": "C"},
        ).stdout  # fmt: skip
        pairs = (line.partition(":") for line in said.splitlines())
        return {key: value.strip() for key, _, value in pairs}

    @property
    def _programs(self) -> Path:
        from daemon.embedded_binaries import find

        return find(self.bindir, self.folder / "binaries").bindir

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class External(Place):
    """The same cluster run by the test, which can end it and start it again; daemons get a URL."""

    kind = "external"

    def __init__(self, folder: Path, bindir: Path | None = None) -> None:
        super().__init__(folder, bindir)
        self.server: EmbeddedPostgres | None = None
        self.known_as = ""

    async def start(self) -> None:
        self.server = EmbeddedPostgres(self.folder, bindir=self.bindir, settings=LOOSE)
        self.known_as = await self.server.start("daemon")

    async def stop(self) -> None:
        if self.server is not None:
            server, self.server = self.server, None
            await server.stop()

    async def crashed(self) -> None:
        """Return when the server we killed is reaped."""
        assert self.server is not None
        assert await self.server.wait_closed() is ExitKind.CRASHED

    async def restart(self) -> None:
        assert self.server is not None
        await self.server.restart_after_crash()

    def environment(self) -> dict[str, str]:
        return {"SEXTON_DATABASE__URL": self.known_as}

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        opened = await asyncpg.connect(self.url)
        try:
            yield opened
        finally:
            await opened.close()
