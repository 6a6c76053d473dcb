"""Create a cluster, or refuse to because there is one of another major version."""

import asyncio
import contextlib
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from daemon import embedded_process as processes
from daemon.embedded_cluster import NAME, Layout, socket_directory
from daemon.embedded_errors import ClusterCreationError, OtherMajorError, StateDirectoryError
from daemon.embedded_events import ClusterCreated, ClusterCreating, ClusterStep, EmbeddedEvent
from daemon.embedded_identity import Identity, Server

# Trust is safe because reaching the socket is the authentication: its directory is 0700 and so is the socket.
# "peer" would be no check at all: inside a user namespace every foreign user is shown as nobody, which is the
# server's name.
_INITDB = (
    "--data-checksums",
    "--encoding=UTF8",
    "--auth-local=trust",
    "--auth-host=reject",
    f"--username={NAME}",
)
# C.UTF-8 from PostgreSQL itself where it exists: no libc or ICU upgrade can then reorder an index.
_LOCALE = ("--locale=C",)
_LOCALE_17 = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")

_HALF_MADE = ".initdb-"
_REMOVAL_TRIES = 30


def refuse_other_major(layout: Layout, server: Server) -> None:
    """Raise OtherMajorError when the data here is of another major and none is of ours."""
    ours = layout.data / "PG_VERSION"
    others = [] if ours.exists() else sorted(layout.state_dir.glob("postgres-*/data/PG_VERSION"))
    for found in ([ours] if ours.exists() else []) + others:
        if (version := found.read_text().strip()) != str(layout.major):
            raise OtherMajorError(found.parent, version, layout.major, _upgrade(layout, server, found.parent))
    if not ours.exists() and layout.data.is_dir() and any(layout.data.iterdir()):
        raise StateDirectoryError(f"{layout.data} is no PostgreSQL cluster and not empty: move its content away")


async def create(
    layout: Layout, server: Server, settings: Mapping[str, str], on_event: Callable[[EmbeddedEvent], None]
) -> None:
    """Create the cluster with our database, complete or not at all: in a temporary directory, then renamed.

    Raises ClusterCreationError with what the program said. Leftovers of a killed attempt are removed first.
    """
    begun = time.monotonic()
    on_event(ClusterCreating(layout.data, server.version))
    await _remove_half_made(layout, on_event)
    fresh = await asyncio.to_thread(_fresh_directory, layout, server.identity)
    try:
        options = (
            *_initdb_options(server.major),
            *(("--no-sync",) if settings.get("fsync") == "off" else ()),
        )
        await _speak(server, (*server.command(server.binaries.initdb), *options, "-D", str(fresh)), b"", on_event)
        single = (
            "--single",
            "-D",
            str(fresh),
            "-c",
            "exit_on_error=on",
            "-c",
            "log_checkpoints=off",
            "template1",
        )
        # In single-user mode, so that a cluster that exists has its database: there is no state in between.
        await _speak(server, (*server.command(server.binaries.postgres), *single), b"CREATE DATABASE sexton\n", None)
        await asyncio.to_thread(_put_in_place, fresh, layout.data)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)  # the next start would remove it too
        raise
    on_event(ClusterCreated(layout.data, time.monotonic() - begun))


def _initdb_options(major: int) -> tuple[str, ...]:
    return (*_INITDB, *(_LOCALE_17 if major >= 17 else _LOCALE))


async def _remove_half_made(layout: Layout, on_event: Callable[[EmbeddedEvent], None]) -> None:
    """Remove what a killed start left, once its initdb (which was told, and tidies up too) is gone."""
    orphans = await asyncio.to_thread(processes.mentioning, str(layout.home / _HALF_MADE))
    await asyncio.gather(*(processes.end(pid, processes.CREATOR_LADDER, on_event) for pid in orphans))
    await asyncio.to_thread(_remove_all, layout.home, _HALF_MADE)


def _remove_all(folder: Path, prefix: str) -> None:
    """Remove the directories in `folder` that begin with `prefix`, even if a dying process writes there."""
    for _ in range(_REMOVAL_TRIES):
        for stale in folder.glob(prefix + "*"):
            shutil.rmtree(stale, ignore_errors=True)
        if not any(folder.glob(prefix + "*")):
            return
        time.sleep(0.1)
    for stale in folder.glob(prefix + "*"):
        shutil.rmtree(stale)  # no longer a race: let the error be heard


def _fresh_directory(layout: Layout, identity: Identity) -> Path:
    fresh = Path(tempfile.mkdtemp(prefix=_HALF_MADE, dir=layout.home))
    identity.own(fresh)
    return fresh


def _put_in_place(fresh: Path, data: Path) -> None:
    fresh.rename(data)  # replaces an empty directory, and nothing else
    parent = os.open(data.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


async def _speak(
    server: Server, argv: tuple[str, ...], said: bytes, on_event: Callable[[EmbeddedEvent], None] | None
) -> None:
    """Run a program to its end, feed it `said`, report its lines as steps. Raises ClusterCreationError."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=server.environment,
        cwd="/",
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines: list[str] = []
    try:
        process.stdin.write(said)
        process.stdin.close()
        async for line in process.stdout:
            lines.append(line.decode(errors="replace").rstrip())
            if on_event is not None and lines[-1].endswith(" ok"):
                on_event(ClusterStep(lines[-1].removesuffix(" ok").removesuffix(" ...")))
        code = await process.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if code != 0:
        said_last = "\n".join("  " + line for line in lines[-15:])
        raise ClusterCreationError(
            f"{argv[len(server.identity.prefix)]} ended with {code}; free space, limits and permissions of "
            f"the state directory are the usual causes. It said:\n{said_last}"
        )


def _upgrade(layout: Layout, server: Server, old: Path) -> tuple[str, ...]:
    """A shell command that upgrades `old` into place: complete or not at all, as above."""
    new, binaries, run = layout.home / "data.upgrade", server.binaries, shlex.join(server.identity.prefix)
    initdb = shlex.join((str(binaries.initdb), *_initdb_options(layout.major), "-D", str(new)))
    options = ("-B", binaries.bindir, "-d", old, "-D", new, "-s", socket_directory(layout, server.identity))
    upgrade = shlex.join((str(binaries.bindir / "pg_upgrade"), "-U", NAME, *map(str, options)))
    script = (
        f'cd {shlex.quote(str(layout.home))}; {run} {initdb}; {run} {upgrade} -b "$OLD_BINDIR"; '
        f"mv {shlex.quote(str(new))} {shlex.quote(str(layout.data))}"
    )
    return "sh", "-ec", script
