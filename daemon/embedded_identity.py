"""As whom the server runs. PostgreSQL refuses to run as root, and a service often is root.

Four ways, and the first that works is taken:
  self       We are not root: plainly.
  owner      We are root and the state directory belongs to a service account (`sudo sexton …` beside a unit
             with User=): as that account, so that the service can still read its own data afterwards.
  namespace  We are root: in a user namespace that shows root's id as nobody's. The files stay root's.
  nobody     We are root without user namespaces (most containers): as nobody, who then owns the cluster.

Every way ends in `setpriv --pdeathsig INT`, last in the chain because the kernel clears the setting when
credentials change: when the *thread* that started the server ends, for whatever reason, the server shuts down
cleanly.
"""

import asyncio
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from daemon.embedded_binaries import Binaries, environment, major_of
from daemon.embedded_errors import BinariesError, StateDirectoryError

NOBODY = 65534
RunsAs = Literal["self", "owner", "namespace", "nobody"]

# For systems whose setpriv is missing or is busybox's: argv is uid, gid, program, arguments. -1 keeps the
# ids.
_SHIM = """
import ctypes, os, sys
uid, gid = int(sys.argv[1]), int(sys.argv[2])
if uid >= 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if ctypes.CDLL(None, use_errno=True).prctl(1, 2, 0, 0, 0):
    sys.exit(f"prctl(PR_SET_PDEATHSIG): errno {ctypes.get_errno()}")
os.execv(sys.argv[3], sys.argv[3:])
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """`prefix` is the argv before the program; `uid` and `gid` (as we see them) must own its files."""

    runs_as: RunsAs
    prefix: tuple[str, ...]
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path`, not a tree, to the server's user; does nothing unless we are root."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def own_tree(self, top: Path) -> None:
        """Give a whole tree, the top last, so that a walk that was killed is repeated by the next start."""
        if top.stat().st_uid == self.uid:
            return
        if os.geteuid() != 0:
            raise StateDirectoryError(
                f"{top} belongs to user id {top.stat().st_uid} and we are {os.geteuid()}: run Sexton as its "
                f"owner, or give it away with chown -R {os.geteuid()} {top}"
            )
        for folder, _, files in os.walk(top, topdown=False):
            for path in (*(Path(folder) / name for name in files), Path(folder)):
                self.own(path)


@dataclass(frozen=True, slots=True)
class Server:
    """Programs that were seen to run, and as whom."""

    binaries: Binaries
    identity: Identity
    version: str  # as in "17.10"

    @property
    def major(self) -> int:
        return major_of(self.version)

    def command(self, program: Path) -> tuple[str, ...]:
        return (*self.identity.prefix, str(program))

    @property
    def environment(self) -> Mapping[str, str]:
        return environment(self.binaries)


async def choose(binaries: Binaries, state_dir: Path) -> Server:
    """Find the first way in which `postgres --version` runs; each try takes a few milliseconds.

    Raises BinariesError with what each way answered when none works.
    """
    answers = []
    for identity in _ways(state_dir):
        code, output = await _run(*identity.prefix, str(binaries.postgres), "--version", env=environment(binaries))
        if code == 0:
            return Server(binaries, identity, _version_in(output, binaries))
        answers.append(f"  as {identity.runs_as} ({identity.prefix[0]}): {output.strip() or f'exit code {code}'}")
    raise BinariesError(
        f"{binaries.postgres} (named by {binaries.origin}) cannot be run here. 'Permission denied' means "
        f"that a parent directory is closed to the server's user; otherwise they do not fit this system, "
        f"and SEXTON_PG_BINDIR can name others:\n" + "\n".join(answers)
    )


def _version_in(output: str, binaries: Binaries) -> str:
    """ "15.16" from "postgres (PostgreSQL) 15.16 (Debian 15.16-0+deb12u1)"."""
    found = re.search(r"\(PostgreSQL\) (\S+)", output)
    if found is None:
        raise BinariesError(f"{binaries.postgres} (named by {binaries.origin}) is no PostgreSQL: it says {output!r}")
    return found[1]


def open_path(identity: Identity, state_dir: Path) -> None:
    """Make sure the server's user may pass through `state_dir` and its parents. Raises StateDirectoryError.

    We open the state directory itself (o+x, not its content); a parent is not ours to change.
    """
    if identity.uid == os.geteuid():
        return
    for folder in (*reversed(state_dir.parents), state_dir):
        info = folder.stat()
        shift = 6 if info.st_uid == identity.uid else 3 if info.st_gid == identity.gid else 0
        if info.st_mode >> shift & stat.S_IXOTH:
            continue
        if folder != state_dir:
            raise StateDirectoryError(
                f"the database would run as user id {identity.uid}, which may not pass through {folder} "
                f"(mode {stat.S_IMODE(info.st_mode):o}): chmod o+x it, or put the state directory elsewhere, "
                f"as in /var/lib/sexton"
            )
        folder.chmod(stat.S_IMODE(info.st_mode) | stat.S_IXOTH)


def tied_to_us() -> tuple[str, ...]:
    """The argv before a program, run as whoever we are, that gets SIGINT when the thread that started it ends."""
    return next(_with_death_signal("self", (), -1, -1, switch=False)).prefix


def _ways(state_dir: Path) -> Iterator[Identity]:
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        return (yield from _with_death_signal("self", (), uid, gid, switch=False))
    owner = state_dir.stat()
    if owner.st_uid not in {0, NOBODY}:
        return (yield from _with_death_signal("owner", (), owner.st_uid, owner.st_gid, switch=True))
    if (unshare := shutil.which("unshare")) is not None:
        mapped = (unshare, "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
        yield from _with_death_signal("namespace", mapped, uid, gid, switch=False)
    return (yield from _with_death_signal("nobody", (), NOBODY, NOBODY, switch=True))


def _with_death_signal(
    runs_as: RunsAs, before: tuple[str, ...], uid: int, gid: int, *, switch: bool
) -> Iterator[Identity]:
    """The same way twice: with util-linux's setpriv, and with our own shim where there is none."""
    if (setpriv := shutil.which("setpriv")) is not None:
        options = (f"--reuid={uid}", f"--regid={gid}", "--clear-groups") if switch else ()
        yield Identity(runs_as, (*before, setpriv, *options, "--pdeathsig", "INT", "--"), uid, gid)
    ids = (str(uid), str(gid)) if switch else ("-1", "-1")
    yield Identity(runs_as, (*before, sys.executable, "-I", "-S", "-c", _SHIM, *ids), uid, gid)


async def _run(*argv: str, env: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and everything printed. From "/", because the server's user may not enter our directory."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=env,
        cwd="/",
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")
