"""Debian's libfaketime: wall clocks that a test moves while processes run. Monotonic clocks stay true."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from tests.system.wrapped import wrapped

PLACES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1")


def library() -> Path | None:
    """None where there is none: apt-get install libfaketime."""
    if named := os.environ.get("SEXTON_TEST_FAKETIME"):
        return Path(named)
    found = (path for pattern in PLACES for path in sorted(Path("/").glob(pattern[1:])))
    return next(found, None)


class Clock:
    """Read by every process under it at each look at the clock."""

    def __init__(self, folder: Path, preload: Path) -> None:
        self.file = folder / "clock"
        self.preload = preload
        self.set("+0")

    def set(self, offset: str) -> None:
        """`+2h`, `-2h`, `+0`: against the true time. Replaced in one piece, so that nobody reads half of it."""
        draft = self.file.with_suffix(".new")
        draft.write_text(offset + "\n")
        draft.chmod(0o644)
        draft.replace(self.file)

    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self.preload),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
            "NO_FAKE_STAT": "1",
            "FAKETIME_DISABLE_SHM": "1",
        }

    def wrapped(self, folder: Path, bindir: Path | None) -> Path:
        """A bin directory whose PostgreSQL lives by this clock; a server inherits nothing of our environment."""
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in self.environment().items())
        return wrapped(folder, bindir, lambda program: f'exec env {words} {program} "$@"')
