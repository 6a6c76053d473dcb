"""The life of the embedded PostgreSQL, with real servers: start, stop, crash, orphans."""

import asyncio
import os
import signal
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from daemon import embedded_process as processes
from daemon.embedded import (
    EmbeddedEvent,
    EmbeddedPostgres,
    ExitKind,
    ForeignServerError,
    OtherMajorError,
    ServerStartError,
    ServerStoppedError,
    StateDirectoryError,
    StateDirectoryHeldError,
)
from daemon.embedded_cluster import Layout
from daemon.embedded_events import (
    ClusterCreated,
    ClusterCreating,
    ClusterStep,
    OrphanFound,
    RestartFailed,
    ServerExited,
    ServerReady,
)
from tests.daemon import embedded_support as support
from tests.daemon.embedded_support import FAST, execute, leftovers, owner, started, value

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return await support.make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
async def state(template: Path, tmp_path: Path) -> AsyncIterator[Path]:
    """A state directory with a cluster; afterwards nothing of it may run."""
    yield support.copy_of(template, tmp_path / "state")
    assert leftovers(tmp_path / "state") == []


async def test_the_first_start_creates_a_cluster_and_the_next_keeps_its_data(tmp_path: Path) -> None:
    events: list[EmbeddedEvent] = []
    state = tmp_path / "not" / "there" / "yet"
    async with started(EmbeddedPostgres(state, settings=FAST, on_event=events.append)) as url:
        await execute(url, "CREATE TABLE kept AS SELECT 42 AS n")
    kinds = [type(event) for event in events]
    assert kinds[0] is ClusterCreating
    assert kinds.index(ClusterCreated) < kinds.index(ServerReady)
    assert "running bootstrap script" in [event.text for event in events if isinstance(event, ClusterStep)]
    assert leftovers(state) == []

    events.clear()
    async with started(EmbeddedPostgres(state, settings=FAST, on_event=events.append)) as url:
        assert await value(url, "SELECT n FROM kept") == 42
    assert [type(event) for event in events] == [ServerReady]


async def test_the_server_is_set_up_as_promised(state: Path) -> None:
    server = EmbeddedPostgres(state, settings={**FAST, "work_mem": "5MB"})
    async with started(server) as url:
        settings = {
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "listen_addresses": "",
            "TimeZone": "UTC",
            "shared_buffers": "128MB",
            "synchronous_commit": "on",
            "fsync": "off",
            "work_mem": "5MB",
        }
        for name, expected in settings.items():
            assert await value(url, f"SELECT current_setting('{name}')") == expected, name
        assert await value(url, "SELECT current_user || '@' || current_database()") == "sexton@sexton"
        assert await value(url, "SELECT split_part(version(), ' ', 2)") == server.version
        assert await value(url, "SELECT upper('ä')") == "Ä"
        socket = next((state / "postgres-17/run").glob(".s.PGSQL.*[0-9]"))
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert os.getsid(server.pid) != os.getsid(0), "a Ctrl-C in our terminal would reach the server"


async def test_the_url_suits_psql_and_no_environment_variable_bends_it(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, other in (("PGPORT", "1"), ("PGHOST", "nowhere"), ("PGUSER", "nobody"), ("PGDATA", "/none")):
        monkeypatch.setenv(name, other)
    server = EmbeddedPostgres(state, settings=FAST)
    async with started(server) as url:
        assert await value(url, "SELECT 1") == 1
        psql = next(Path(path) for path in processes.arguments(server.pid) if path.endswith("/postgres"))
        answer = await asyncio.to_thread(
            subprocess.run,
            [psql.with_name("psql"), url, "-XAtc", "SELECT current_user"],
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert (answer.stdout, answer.stderr) == ("sexton\n", "")


async def test_alter_system_beats_our_defaults(state: Path) -> None:
    async with started(EmbeddedPostgres(state, settings=FAST)) as url:
        await execute(url, "ALTER SYSTEM SET shared_buffers = '16MB'")
    async with started(EmbeddedPostgres(state, settings=FAST)) as url:
        assert await value(url, "SHOW shared_buffers") == "16MB"


async def test_a_second_daemon_is_told_who_holds_the_directory(state: Path) -> None:
    async with owner(state, "daemon") as first:
        await first.up()
        with pytest.raises(StateDirectoryHeldError, match=rf"process {first.pid} \(daemon\)") as refused:
            await EmbeddedPostgres(state).start("daemon")
        assert (refused.value.pid, refused.value.role) == (first.pid, "daemon")
        await first.finish()
    async with started(EmbeddedPostgres(state, settings=FAST)):
        pass


async def test_stop_is_idempotent_and_ends_the_wait(state: Path) -> None:
    server = EmbeddedPostgres(state, settings=FAST)
    await server.start("daemon")
    waiting = asyncio.ensure_future(server.wait_closed())
    await asyncio.gather(server.stop(), server.stop())
    assert await asyncio.wait_for(waiting, 10) is ExitKind.STOPPED
    assert leftovers(state) == []
    await server.stop()
    with pytest.raises(RuntimeError, match="started once"):
        await server.start("daemon")


async def test_our_death_is_the_servers_clean_shutdown(state: Path) -> None:
    async with owner(state, "daemon") as first:
        postmaster, url = await first.up()
        await execute(url, "CREATE TABLE kept AS SELECT 42 AS n")
        await first.kill()
        assert await support.ended(postmaster)
    assert "received fast shutdown request" in (state / "postgres-17/server.log").read_text()
    async with started(EmbeddedPostgres(state, settings=FAST)) as url:
        assert await value(url, "SELECT n FROM kept") == 42
    assert "was not properly shut down" not in (state / "postgres-17/server.log").read_text()


async def test_an_orphan_is_taken_over(state: Path) -> None:
    events: list[EmbeddedEvent] = []

    def release(event: EmbeddedEvent) -> None:
        events.append(event)
        if isinstance(event, OrphanFound):
            support.kill(event.pid, signal.SIGCONT)

    async with owner(state, "daemon") as first:
        postmaster, _ = await first.up()
        support.kill(postmaster, signal.SIGSTOP)  # so that it outlives its owner for as long as we like
        await first.kill()
    server = EmbeddedPostgres(state, settings=FAST, on_event=release)
    async with started(server) as url:
        assert OrphanFound(postmaster) in events
        assert server.pid != postmaster
        assert await value(url, "SELECT 1") == 1


async def test_a_killed_postmaster_is_a_crash_and_loses_nothing(state: Path) -> None:
    events: list[EmbeddedEvent] = []
    server = EmbeddedPostgres(state, settings=FAST, on_event=events.append)
    async with started(server) as url:
        await execute(url, "CREATE TABLE kept AS SELECT 42 AS n")
        first = server.pid
        support.kill(first)
        assert await asyncio.wait_for(server.wait_closed(), 10) is ExitKind.CRASHED
        assert ServerExited(first, ExitKind.CRASHED, -9) in events
        await asyncio.wait_for(server.restart_after_crash(), 30)
        assert server.pid != first
        assert server.url == url
        assert await value(url, "SELECT n FROM kept") == 42


async def test_a_restart_waits_for_backends_of_the_crashed_server(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "BACKEND_LADDER", ((None, 0.1), (signal.SIGQUIT, 0.1), (signal.SIGKILL, 10)))
    server = EmbeddedPostgres(state, settings=FAST)
    async with started(server) as url:
        connection = await asyncpg.connect(url)
        backend = connection.get_server_pid()
        support.kill(backend, signal.SIGSTOP)  # it neither sees the postmaster's end nor answers to SIGQUIT
        support.kill(server.pid)
        assert await asyncio.wait_for(server.wait_closed(), 10) is ExitKind.CRASHED
        assert processes.is_alive(backend)
        await asyncio.wait_for(server.restart_after_crash(), 30)
        assert not processes.is_alive(backend)
        assert await value(url, "SELECT 1") == 1
        connection.terminate()
    assert "pre-existing shared memory" not in (state / "postgres-17/server.log").read_text()


async def test_failed_restarts_are_told_and_repeated(state: Path) -> None:
    version = state / "postgres-17/data/PG_VERSION"
    failures: list[RestartFailed] = []

    def mend(event: EmbeddedEvent) -> None:
        if isinstance(event, RestartFailed):
            failures.append(event)
            if len(failures) == 2:
                version.write_text("17\n")

    server = EmbeddedPostgres(state, settings=FAST, on_event=mend)
    async with started(server) as url:
        support.kill(server.pid)
        await server.wait_closed()
        version.write_text("16\n")
        await asyncio.wait_for(server.restart_after_crash(), 30)
        assert [failure.retry_in for failure in failures] == [0.1, 0.2]
        assert "not compatible with this version" in failures[0].error
        assert await value(url, "SELECT 1") == 1


async def test_stop_ends_a_restart_that_fails_for_ever(state: Path) -> None:
    failed = asyncio.Event()
    server = EmbeddedPostgres(
        state, settings=FAST, on_event=lambda event: failed.set() if isinstance(event, RestartFailed) else None
    )
    async with started(server):
        (state / "postgres-17/data/PG_VERSION").write_text("16\n")
        support.kill(server.pid)
        await server.wait_closed()
        restarting = asyncio.ensure_future(server.restart_after_crash())
        await asyncio.wait_for(failed.wait(), 10)
        await server.stop()
        with pytest.raises(ServerStoppedError):
            await asyncio.wait_for(restarting, 10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["smart", "fast"])
async def test_a_shutdown_from_outside_is_told_while_we_are_still_connected(
    state: Path, number: signal.Signals
) -> None:
    server = EmbeddedPostgres(state, settings=FAST)
    async with started(server) as url:
        connection = await asyncpg.connect(url)
        support.kill(server.pid, number)
        assert await asyncio.wait_for(server.wait_closed(), 10) is ExitKind.SHUTDOWN
        if number == signal.SIGTERM:
            assert await connection.fetchval("SELECT 1") == 1, "we can still finish"
        connection.terminate()


async def test_an_initdb_killed_half_way_heals(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with owner(state, "daemon") as first:
        await first.hears("ClusterStep running bootstrap script")
        await first.kill()
    assert not (state / "postgres-17/data").exists()
    async with started(EmbeddedPostgres(state, settings=FAST)) as url:
        assert await value(url, "SELECT 1") == 1
    assert sorted(path.name for path in (state / "postgres-17").iterdir()) == ["data", "run", "server.log"]


async def test_a_cancelled_start_leaves_nothing(tmp_path: Path) -> None:
    state, reached = tmp_path / "state", asyncio.Event()
    server = EmbeddedPostgres(
        state, settings=FAST, on_event=lambda event: reached.set() if isinstance(event, ClusterStep) else None
    )
    starting = asyncio.ensure_future(server.start("daemon"))
    await asyncio.wait_for(reached.wait(), 10)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert list((state / "postgres-17").iterdir()) == []
    async with started(EmbeddedPostgres(state, settings=FAST)):
        pass


async def test_another_majors_cluster_is_refused_and_nothing_is_put_beside_it(tmp_path: Path) -> None:
    other = tmp_path / "postgres-16/data"
    other.mkdir(parents=True)
    (other / "PG_VERSION").write_text("16\n")
    with pytest.raises(OtherMajorError, match="pg_upgrade") as refused:
        await EmbeddedPostgres(tmp_path).start("daemon")
    assert (refused.value.found, refused.value.wanted) == ("16", 17)
    assert "SEXTON_PG_BINDIR" in str(refused.value)
    assert not (tmp_path / "postgres-17/data").exists()


async def test_a_data_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres-17/data").mkdir(parents=True)
    (tmp_path / "postgres-17/data/precious").write_text("x")
    with pytest.raises(StateDirectoryError, match="not empty"):
        await EmbeddedPostgres(tmp_path).start("daemon")
    assert (tmp_path / "postgres-17/data/precious").read_text() == "x"


@pytest.mark.parametrize("name", ["long" * 25, "a,comma"])
async def test_a_path_that_suits_no_socket_falls_back(template: Path, tmp_path: Path, name: str) -> None:
    state = support.copy_of(template, tmp_path / name)
    async with started(EmbeddedPostgres(state, settings=FAST)) as url:
        folder = Path(str(await value(url, "SHOW unix_socket_directories")))
        assert not folder.is_relative_to(tmp_path)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


async def test_a_stale_pid_file_that_names_a_stranger_is_no_obstacle(state: Path) -> None:
    (state / "postgres-17/data/postmaster.pid").write_text(f"{os.getpid()}\n{state}\n1\n5432\n/tmp\n\n1 1\nready\n")
    async with started(EmbeddedPostgres(state, settings=FAST)) as url:
        assert await value(url, "SELECT 1") == 1


async def test_a_server_that_is_not_ours_is_not_touched(state: Path) -> None:
    server = EmbeddedPostgres(state, settings=FAST)
    async with started(server):
        argv = processes.arguments(server.pid)
    if os.geteuid() == 0:
        argv = ["unshare", "--user", "--map-user=65534", "--map-group=65534", *argv]
    log = (state / "foreign.log").open("wb")
    data = Layout(state, 17).data
    stranger = await asyncio.create_subprocess_exec(
        *(word.replace("cluster_name=", "cluster_name=not-") for word in argv), stdout=log, stderr=log
    )
    try:
        async with asyncio.timeout(20):
            while "ready to accept" not in (state / "foreign.log").read_text():
                await asyncio.sleep(0.02)
        with pytest.raises(ForeignServerError, match=f"process {stranger.pid} .* stop -m fast") as refused:
            await EmbeddedPostgres(state).start("daemon")
        assert (refused.value.pid, refused.value.data) == (stranger.pid, data)
        assert stranger.returncode is None
    finally:
        log.close()
        stranger.send_signal(signal.SIGINT)
        await stranger.wait()


async def test_a_server_that_cannot_start_says_why_and_frees_the_lock(state: Path) -> None:
    with pytest.raises(ServerStartError, match="invalid value for parameter") as failed:
        await EmbeddedPostgres(state, settings={"shared_buffers": "plenty"}).start("daemon")
    assert str(state / "postgres-17/server.log") in str(failed.value)
    async with started(EmbeddedPostgres(state, settings=FAST)):
        pass
