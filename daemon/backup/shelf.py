"""The directory in which backups stand. What is there under a name is whole; the directory is the only truth.

A backup is made in `.NAME.partial`, made durable, and renamed. Whoever finds such a folder while holding the lock has
found the leavings of an attempt that was killed. All of it blocks: call it in a thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from daemon import embedded_process as processes
from daemon.backup import manifest
from daemon.backup.errors import BackupUnderway, Damaged, TooNew, UnknownBackup, of_the_disk
from daemon.backup.manifest import Manifest
from daemon.backup.record import Backup
from daemon.naming import did_you_mean
from daemon.version import VERSION

NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z")
STAMP = "%Y%m%dT%H%M%SZ"
LOCK, VERIFIED, PARTIAL = ".lock", "verified.json", ".partial"
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Shelf:
    """`directory` need not exist before the first backup; its parent is made too."""

    directory: Path

    def take(self) -> int:
        """The directory for us alone, swept; close the descriptor to give it back.

        Raises `BackupUnderway` and `DirectoryUnusable`.
        """
        with self._worded():
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._hand_over(self.directory)
            descriptor = os.open(self.directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._lock(descriptor)
                self._sweep()
            except BaseException:
                os.close(descriptor)
                raise
        return descriptor

    def _lock(self, descriptor: int) -> None:
        self._hand_over(self.directory / LOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode().strip() or "?"
            raise BackupUnderway(
                f"{self.directory}: another backup, verification or restore is under way there (process {holder})"
            ) from None
        with contextlib.suppress(OSError):  # for the message above; a full disk must not keep anybody from pruning
            os.pwrite(descriptor, f"{os.getpid():<10}\n".encode(), 0)

    def _sweep(self) -> None:
        """Remove what killed attempts left, once nobody writes there any more."""
        for left in sorted(self.directory.glob(f".*{PARTIAL}")):
            for pid in processes.mentioning(f"--file={left}/"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            _take_away(left)

    @contextlib.contextmanager
    def _worded(self) -> Iterator[None]:
        """What the disk refuses, with the remedy."""
        try:
            yield
        except OSError as error:
            raise of_the_disk(error, self.directory) from error

    def begin(self, at: datetime) -> tuple[str, Path]:
        """A name that is free, and the folder to make the backup in. Raises `DirectoryUnusable`."""
        with self._worded():
            return self._begun(at)

    def _begun(self, at: datetime) -> tuple[str, Path]:
        number = 0
        while True:
            name = datetime.fromtimestamp(int(at.timestamp()) + number, UTC).strftime(STAMP)
            if not (self.directory / name).exists():
                folder = self.directory / f".{name}{PARTIAL}"
                folder.mkdir(mode=0o700)
                return name, folder
            number += 1

    def publish(self, folder: Path, name: str, wanted: Manifest) -> None:
        """Make it durable, then visible: all of it or nothing. Raises `DirectoryUnusable`."""
        with self._worded():
            (folder / manifest.FILE).write_text(wanted.text, encoding="utf-8")
            for place, _, files in os.walk(folder, topdown=False):
                for path in (*(Path(place) / file for file in files), Path(place)):
                    self._hand_over(path)
                    _sync(path)
            folder.rename(self.directory / name)
            _sync(self.directory)

    def discard(self, folder: Path) -> None:
        """Take away an attempt that failed, as far as that is possible: the next one sweeps."""
        shutil.rmtree(folder, ignore_errors=True)

    def remove(self, name: str) -> None:
        """Out of sight first: a removal that is killed leaves no half of a backup. Raises `DirectoryUnusable`."""
        gone = self.directory / f".{name}{PARTIAL}"
        with self._worded():
            (self.directory / name).rename(gone)
            _sync(self.directory)
            _take_away(gone)

    def mark_verified(self, name: str, digest: str, at: datetime) -> None:
        """`digest` is of the manifest, so that the mark fits this backup and no other."""
        draft = self.directory / name / f".{VERIFIED}"
        with self._worded():
            draft.write_text(json.dumps({"at": at.isoformat(), "digest": digest, "sexton": VERSION}) + "\n")
            self._hand_over(draft)
            _sync(draft)
            draft.rename(self.directory / name / VERIFIED)
            _sync(self.directory / name)

    def withdraw_mark(self, name: str) -> None:
        """It was found damaged: what proved it once proves it no more."""
        with self._worded():
            (self.directory / name / VERIFIED).unlink(missing_ok=True)
            _sync(self.directory / name)

    def listed(self) -> list[Backup]:
        """Every backup, the newest first. Raises `DirectoryUnusable` if there is a directory that cannot be read."""
        return [self.seen(name) for name in self.names()]

    def names(self) -> list[str]:
        """The newest first; none where there is no directory."""
        try:
            return sorted((e.name for e in self.directory.iterdir() if _is_name(e.name)), reverse=True)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise of_the_disk(error, self.directory) from error

    def newest_verified(self) -> Backup | None:
        """Without a look at more than it takes to find it."""
        return next((backup for backup in map(self.seen, self.names()) if backup.verified), None)

    def resolve(self, name: str) -> str:
        """The name of a backup that is there; `latest` is the newest. Raises `UnknownBackup`."""
        names = self.names()
        if name == LATEST and names:
            return names[0]
        if name not in names:
            some = did_you_mean(name, names) or (f"; there are {', '.join(names[:5])}" if names else "; there is none")
            raise UnknownBackup(f"{self.directory}: there is no backup {name!r}{some}")
        return name

    def seen(self, name: str) -> Backup:
        """As a look at its manifest and its mark tells."""
        folder, at = self.directory / name, datetime.strptime(name, STAMP).replace(tzinfo=UTC)
        try:
            found = manifest.read(folder)
        except (Damaged, TooNew) as error:
            return Backup(name, at, problem=str(error))
        return Backup(
            name, found.taken_at, found.bytes, found.digest, len(found.tables), found.rows, found.sexton,
            found.postgresql, self._verified_at(folder, found),
        )  # fmt: skip

    def _verified_at(self, folder: Path, found: Manifest) -> datetime | None:
        """A mark that is missing, damaged, or of another manifest counts for nothing."""
        try:
            mark = json.loads((folder / VERIFIED).read_text(encoding="utf-8"))
            return datetime.fromisoformat(mark["at"]) if mark["digest"] == found.digest else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _hand_over(self, path: Path) -> None:
        """Root's backups belong to whoever owns the place, so that the service can read and prune them."""
        if os.geteuid() == 0:
            owner = self.directory.parent.stat()
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _is_name(text: str) -> bool:
    """Whether it is one that we give: 20261399T030000Z is somebody else's."""
    try:
        return bool(NAME.fullmatch(text) and datetime.strptime(text, STAMP).replace(tzinfo=UTC))
    except ValueError:
        return False


def _take_away(path: Path) -> None:
    """A folder with all that is in it; of a link, or a file that bears such a name, nothing but itself."""
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
