"""The files of a backup: their checksums, taken and compared. Blocking; `stop` ends it early."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from daemon.backup.errors import Damaged
from daemon.backup.manifest import DATA, Manifest, StoredFile

CHUNK = 1 << 20
T = TypeVar("T")


class Stopped(Exception):
    """Nobody waits for the answer any more."""


async def beside_the_loop(work: Callable[[threading.Event], T]) -> T:
    """Do it in a thread, which ends soon when we are cancelled."""
    stop = threading.Event()
    try:
        return await asyncio.to_thread(work, stop)
    finally:
        stop.set()


def stored(folder: Path, stop: threading.Event) -> tuple[StoredFile, ...]:
    """What pg_dump has written, with its checksums, by name."""
    paths = sorted(path for path in (folder / DATA).rglob("*") if path.is_file())
    return tuple(
        StoredFile(path=str(path.relative_to(folder)), bytes=path.stat().st_size, sha256=_sha256(path, stop))
        for path in paths
    )


def check(folder: Path, wanted: Manifest, stop: threading.Event) -> None:
    """Raises `Damaged` that names every file that is missing, changed, or too many."""
    problems = [problem for file in wanted.files if (problem := _problem(folder / file.path, file, stop))]
    known = {folder / file.path for file in wanted.files}
    strange = sorted(path for path in (folder / DATA).rglob("*") if path.is_file() and path not in known)
    problems += [f"{path}: does not belong to this backup" for path in strange]
    if problems:
        raise Damaged(*problems)


def _problem(path: Path, wanted: StoredFile, stop: threading.Event) -> str | None:
    try:
        size = path.stat().st_size
        if size != wanted.bytes:
            return f"{path}: has {size} bytes instead of {wanted.bytes}"
        return None if _sha256(path, stop) == wanted.sha256 else f"{path}: its content was changed (sha256)"
    except FileNotFoundError:
        return f"{path}: is missing"
    except OSError as error:
        return f"{path}: cannot be read: {error.strerror}"


def _sha256(path: Path, stop: threading.Event) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if stop.is_set():
                raise Stopped
            digest.update(chunk)
    return digest.hexdigest()
