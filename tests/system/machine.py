"""A machine of its own: a real systemd as PID 1, by systemd-nspawn over an overlay of this system's root.

Everything it writes is in a tmpfs of a private mount namespace, and its processes are in a process namespace whose
first dies with us: nothing has to be cleaned up but empty control groups.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from asyncio.subprocess import PIPE, STDOUT, Process
from contextlib import suppress
from pathlib import Path

from tests.system import processes
from tests.system.waiting import until

NEEDED = ("systemd-nspawn", "nsenter", "unshare", "setpriv", "mount")
BOOT_SECONDS = 120
UP = ("running\n", "degraded\n")
"""`degraded`: a unit of the distribution's has failed, which is no matter of ours."""
COMMAND_SECONDS = 240
# The root is prepared before the boot, so the shell waits for a line after it has told that all is mounted.
PREPARE = """
set -e
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
for group in $2; do mkdir -p "$group"; echo 0 >"$group/cgroup.procs"; done
mkdir -p /run/systemd/nspawn && mount -t tmpfs tmpfs /run/systemd/nspawn
ln -sf /dev/null "$1/root/etc/systemd/system/timers.target"
echo mounted
read -r _
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn --quiet --directory="$1/root" --boot --private-network --register=no --keep-unit \
    --hostname=sexton-test --link-journal=no -- systemd.unit=basic.target
"""
QUIET = {
    "etc/systemd/journald.conf.d/test.conf": "[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\n",
    "etc/systemd/system.conf.d/test.conf": "[Manager]\nDefaultTimeoutStopSec=10s\n",
}


class CannotBoot(Exception):
    """This system cannot run a systemd inside; the text says why."""


class Machine:
    """Booted by `mount`, then `boot`; commands run in it by `run`. `root` is its file system, seen from here."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder, self.python = folder, python
        self.init = 0
        self._outside: Process | None = None
        self._nspawn = 0
        self._said = ""

    @property
    def root(self) -> Path:
        return Path(f"/proc/{self._nspawn}/root{self.folder}/root")

    async def mount(self) -> None:
        """The root as an overlay, before the boot. Raises CannotBoot."""
        missing = [name for name in NEEDED if shutil.which(name) is None]
        if missing:
            raise CannotBoot(f"no {', '.join(missing)} here: apt-get install systemd-container")
        if not any(Path("/").glob("usr/lib*/**/libnss_systemd.so.2")):
            raise CannotBoot("no name for a user of DynamicUser=: apt-get install libnss-systemd")
        if os.geteuid() != 0:
            raise CannotBoot("only root can boot a systemd")
        self._outside = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL"),
            *("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("sh", "-c", PREPARE, "sh", str(self.folder), " ".join(map(str, self._groups()))),
            stdin=PIPE, stdout=PIPE, stderr=STDOUT,
        )  # fmt: skip
        assert self._outside.stdout is not None
        said = (await self._outside.stdout.readline()).decode()
        if said != "mounted\n":
            raise CannotBoot(f"the root cannot be mounted as an overlay: {said.strip()}")
        (self._nspawn,) = processes.children(self._outside.pid)
        for name, text in QUIET.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    async def prepared(self, *command: str) -> str:
        """What a command prints that runs in the root before the boot, with our network: `chroot`."""
        process = await asyncio.create_subprocess_exec(
            *("nsenter", "--target", str(self._nspawn), "--mount", "--", "chroot", f"{self.folder}/root"),
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        text = said.decode(errors="replace")
        assert process.returncode == 0, f"{' '.join(command)} ended with {process.returncode}:\n{text}"
        return text

    async def boot(self) -> None:
        """Return when systemd has started what it starts. Raises CannotBoot."""
        assert self._outside is not None
        assert self._outside.stdin is not None
        self._outside.stdin.write(b"boot\n")
        listening = asyncio.create_task(self._listen())
        try:
            await until(self._is_up, "systemd in the machine", BOOT_SECONDS)
        except AssertionError:
            raise CannotBoot(f"systemd does not boot here: {self._said[-400:].strip()!r}") from None
        finally:
            if not self.init:
                listening.cancel()

    async def _listen(self) -> None:
        assert self._outside is not None
        assert self._outside.stdout is not None
        while chunk := await self._outside.stdout.read(4096):
            self._said += chunk.decode(errors="replace")

    async def _is_up(self) -> bool:
        assert self._outside is not None
        if self._outside.returncode is not None:
            raise CannotBoot(f"systemd-nspawn ended: {self._said[-400:].strip()!r}")
        self.init = self._systemd()
        return bool(self.init) and (await self.run("systemctl", "is-system-running", check=False)) in UP

    def _systemd(self) -> int:
        """The first process in the machine; 0 while nspawn's child is still one that only forks it, and ends."""
        for pid in processes.children(self._nspawn):
            with suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                    return pid
        return 0

    async def run(self, *command: str, check: bool = True, seconds: float = COMMAND_SECONDS) -> str:
        """What a command in the machine prints. One that fails is an AssertionError with that, unless `check` is
        False."""
        status, said = await self.tried(*command, seconds=seconds)
        assert status == 0 or not check, f"{' '.join(command)} ended with {status}:\n{said}"
        return said

    async def tried(self, *command: str, seconds: float = COMMAND_SECONDS) -> tuple[int, str]:
        """The exit status and what was printed, error output included."""
        process = await self.started(*command)
        try:
            async with asyncio.timeout(seconds):
                said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode is not None
        return process.returncode, said.decode(errors="replace")

    async def started(self, *command: str) -> Process:
        """A command in the machine, with its output to read."""
        return await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", "nsenter", "--target", str(self.init), "--all", "--"),
            *("setpriv", "--pdeathsig", "KILL"),
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
        )  # fmt: skip

    async def off(self) -> None:
        """End it at once; the kernel ends all its processes and takes away all its mounts."""
        if self._outside is None:
            return
        inside = await asyncio.to_thread(self._members)
        if self._nspawn:
            processes.kill(self._nspawn)  # the first of its namespace: none survives it, and its parent reaps it
        elif self._outside.returncode is None:
            self._outside.kill()
        await self._outside.wait()
        await processes.gone(inside)
        await asyncio.to_thread(self._remove_groups)

    def _groups(self) -> list[Path]:
        """A control group of its own in each hierarchy that systemd uses."""
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        roots = [Path(m[1]) for m in mounts if m[2] == "cgroup2" or (m[2] == "cgroup" and "name=systemd" in m[3])]
        return [root / f"sexton-test-{os.getpid()}" for root in roots]

    def _members(self) -> list[int]:
        found = {int(n) for group in self._groups() for f in group.rglob("cgroup.procs") for n in f.read_text().split()}
        return sorted(found)

    def _remove_groups(self) -> None:
        for group in self._groups():
            for folder in sorted(group.rglob("*/"), reverse=True):
                with suppress(OSError):
                    folder.rmdir()
            with suppress(OSError):
                group.rmdir()


def system_python() -> str | None:
    """An interpreter outside home directories, as the service needs; None where there is none."""
    for name in ("python3.11", "python3.12", "python3.13", "python3.14"):
        for folder in ("/usr/local/bin", "/usr/bin"):
            path = f"{folder}/{name}"
            real = os.path.realpath(path)
            if not os.access(path, os.X_OK) or real.startswith(("/root/", "/home/")):
                continue
            if subprocess.run([path, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0:
                return path
    return None
