"""The life of the embedded PostgreSQL, with real servers: start, stop, and what is refused."""

import asyncio
import os
import stat
from pathlib import Path

import anyio
import pytest

from daemon import embedded_process as processes
from daemon.embedded import (
    EmbeddedEvent,
    EmbeddedPostgres,
    ExitKind,
    OtherMajorError,
    ServerStartError,
    StateDirectoryError,
    StateDirectoryHeldError,
)
from daemon.embedded_events import (
    ClusterCreated,
    ClusterCreating,
    ClusterStep,
    ServerReady,
)
from tests.daemon import embedded_support as support
from tests.daemon.embedded_support import FAST, execute, leftovers, owner, started, value

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]


async def test_the_first_start_creates_a_cluster_and_the_next_keeps_its_data(tmp_path: Path) -> None:
    events: list[EmbeddedEvent] = []
    state = tmp_path / "not" / "there" / "yet"
    async with started(EmbeddedPostgres(state, settings=FAST, on_event=events.append)) as url:
        await execute(url, "CREATE TABLE kept1 AS SELECT 42 AS n")
    kinds = [type(event) for event in events]
    assert kinds[0] is ClusterCreating
    assert kinds.index(ClusterCreated) < kinds.index(ServerReady)
    assert "running bootstrap script" in [event.text for event in events if isinstance(event, ClusterStep)]
    assert leftovers(state) == []

    events.clear()
    async with started(EmbeddedPostgres(state, settings=FAST, on_event=events.append)) as url:
        assert await value(url, "SELECT n FROM kept1") == 42
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
        asked = await asyncio.create_subprocess_exec(
            *(str(psql.with_name("psql")), url, "-XAtc", "SELECT current_user"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        answer, _ = await asyncio.wait_for(asked.communicate(), 60)
        assert answer == b"sexton\n"


async def test_alter_system_beats_our_defaults(own_state: Path) -> None:
    async with started(EmbeddedPostgres(own_state, settings=FAST)) as url:
        await execute(url, "ALTER SYSTEM SET shared_buffers = '16MB'")
    async with started(EmbeddedPostgres(own_state, settings=FAST)) as url:
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
    assert await asyncio.wait_for(waiting, 60) is ExitKind.STOPPED
    assert leftovers(state) == []
    await server.stop()
    with pytest.raises(RuntimeError, match="started once"):
        await server.start("daemon")


async def test_stop_in_a_cancelled_scope_is_still_complete(state: Path) -> None:
    server = EmbeddedPostgres(state, settings=FAST)
    await server.start("daemon")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await server.stop()
    assert leftovers(state) == []
    async with started(EmbeddedPostgres(state, settings=FAST)):
        pass


async def test_a_cancelled_start_leaves_nothing(tmp_path: Path) -> None:
    state, reached = tmp_path / "state", asyncio.Event()
    server = EmbeddedPostgres(
        state, settings=FAST, on_event=lambda event: reached.set() if isinstance(event, ClusterStep) else None
    )
    starting = asyncio.ensure_future(server.start("daemon"))
    await asyncio.wait_for(reached.wait(), 60)
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
async def test_a_path_that_suits_no_socket_falls_back(cluster: Path, tmp_path: Path, name: str) -> None:
    with support.copied(cluster, tmp_path / name) as state:
        async with started(EmbeddedPostgres(state, settings=FAST)) as url:
            folder = Path(str(await value(url, "SHOW unix_socket_directories")))
            assert not folder.is_relative_to(tmp_path)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert not folder.exists()


async def test_a_server_that_cannot_start_says_why_and_frees_the_lock(state: Path) -> None:
    with pytest.raises(ServerStartError, match="invalid value for parameter") as failed:
        await EmbeddedPostgres(state, settings={"shared_buffers": "plenty"}).start("daemon")
    assert str(state / "postgres-17/server.log") in str(failed.value)
    async with started(EmbeddedPostgres(state, settings=FAST)):
        pass
