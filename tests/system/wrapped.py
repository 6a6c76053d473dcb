"""PostgreSQL's programs with a shell script in front of each: what a test has to say before the real one runs."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from daemon import embedded_binaries
from tests.system.wire import SOCKET

PROGRAMS = ("postgres", "initdb", "pg_controldata")
BEHIND = "behind"


def wrapped(folder: Path, bindir: Path | None, script: Callable[[str], str]) -> Path:
    """A bin directory below `folder`; `script` is given a real program's path, quoted, and has to run it."""
    real = embedded_binaries.find(bindir, folder / "binaries").bindir
    folder.chmod(0o755)  # the server's user must get here
    wrappers = folder / "bin"
    wrappers.mkdir()
    for name in PROGRAMS:
        program = wrappers / name
        program.write_text(f"#!/bin/sh\n{script(shlex.quote(str(real / name)))}\n")
        program.chmod(0o755)
    return wrappers


def behind_a_wire(folder: Path, bindir: Path | None, wire: Path) -> Path:
    """A bin directory whose server listens one directory deeper than it was told. Where it should, a link leads to
    the socket `wire`, so that a daemon that runs its own server meets it through the wire."""
    words = f"""
for word in "$@"; do
    case "$word" in unix_socket_directories=*) front="${{word#*=}}" ;; esac
done
if [ -n "$front" ]; then
    mkdir -p -m 700 "$front/{BEHIND}"
    rm -f "$front/{BEHIND}"/.s.PGSQL.*  # remains of one that was killed, as the daemon clears them in front
    ln -sf {shlex.quote(str(wire))} "$front/{SOCKET}"
    set -- "$@" -c "unix_socket_directories=$front/{BEHIND}"
fi"""
    return wrapped(folder, bindir, lambda program: f'{words}\nexec {program} "$@"')
