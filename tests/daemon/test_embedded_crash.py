"""What the embedded PostgreSQL does when somebody is killed: its owner, itself, its initdb; and with what remains."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from daemon import embedded_process as processes
from daemon.embedded import (
    EmbeddedEvent,
    EmbeddedPostgres,
    ExitKind,
    ForeignServerError,
    ServerStoppedError,
)
from daemon.embedded_cluster import Layout
from daemon.embedded_events import (
    OrphanFound,
    RestartFailed,
    ServerExited,
)
from tests.daemon import embedded_support as support
from tests.daemon.embedded_support import FAST, execute, owner, started, value

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]


async def test_our_death_is_the_servers_clean_shutdown(state: Path) -> None:
    start = support.log_size(state)
    async with owner(state, "daemon") as first:
        postmaster, url = await first.up()
        await execute(url, "CREATE TABLE kept_crash1 AS SELECT 42 AS n")
        await first.kill()
        assert await support.ended(postmaster)
    assert "received fast shutdown request" in support.log_since(state, start)
    start = support.log_size(state)
    async with started(EmbeddedPostgres(state, settings=FAST)) as url:
        assert await value(url, "SELECT n FROM kept_crash1") == 42
    assert "was not properly shut down" not in support.log_since(state, start)


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
        await execute(url, "CREATE TABLE kept_crash2 AS SELECT 42 AS n")
        first = server.pid
        support.kill(first)
        assert await asyncio.wait_for(server.wait_closed(), 60) is ExitKind.CRASHED
        assert ServerExited(first, ExitKind.CRASHED, -9) in events
        await asyncio.wait_for(server.restart_after_crash(), 60)
        assert server.pid != first
        assert server.url == url
        assert await value(url, "SELECT n FROM kept_crash2") == 42


async def test_a_restart_waits_for_backends_of_the_crashed_server(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "BACKEND_LADDER", ((None, 0.1), (signal.SIGQUIT, 0.1), (signal.SIGKILL, 10)))
    start, server = support.log_size(state), EmbeddedPostgres(state, settings=FAST)
    async with started(server) as url:
        connection = await asyncpg.connect(url)
        backend = connection.get_server_pid()
        support.kill(backend, signal.SIGSTOP)  # it neither sees the postmaster's end nor answers to SIGQUIT
        support.kill(server.pid)
        assert await asyncio.wait_for(server.wait_closed(), 60) is ExitKind.CRASHED
        assert processes.is_alive(backend)
        await asyncio.wait_for(server.restart_after_crash(), 60)
        assert not processes.is_alive(backend)
        assert await value(url, "SELECT 1") == 1
        connection.terminate()
    assert "pre-existing shared memory" not in support.log_since(state, start)


async def test_failed_restarts_are_told_and_repeated(own_state: Path) -> None:
    version = own_state / "postgres-17/data/PG_VERSION"
    failures: list[RestartFailed] = []

    def mend(event: EmbeddedEvent) -> None:
        if isinstance(event, RestartFailed):
            failures.append(event)
            if len(failures) == 2:
                version.write_text("17\n")

    server = EmbeddedPostgres(own_state, settings=FAST, on_event=mend)
    async with started(server) as url:
        support.kill(server.pid)
        await server.wait_closed()
        version.write_text("16\n")
        await asyncio.wait_for(server.restart_after_crash(), 60)
        assert [failure.retry_in for failure in failures] == [0.1, 0.2]
        assert "not compatible with this version" in failures[0].error
        assert await value(url, "SELECT 1") == 1


async def test_stop_ends_a_restart_that_fails_for_ever(own_state: Path) -> None:
    failed = asyncio.Event()
    server = EmbeddedPostgres(
        own_state,
        settings=FAST,
        on_event=lambda event: failed.set() if isinstance(event, RestartFailed) else None,
    )
    async with started(server):
        (own_state / "postgres-17/data/PG_VERSION").write_text("16\n")
        support.kill(server.pid)
        await server.wait_closed()
        restarting = asyncio.ensure_future(server.restart_after_crash())
        await asyncio.wait_for(failed.wait(), 60)
        await server.stop()
        with pytest.raises(ServerStoppedError):
            await asyncio.wait_for(restarting, 60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["smart", "fast"])
async def test_a_shutdown_from_outside_is_told_while_we_are_still_connected(
    state: Path, number: signal.Signals
) -> None:
    server = EmbeddedPostgres(state, settings=FAST)
    async with started(server) as url:
        connection = await asyncpg.connect(url)
        support.kill(server.pid, number)
        assert await asyncio.wait_for(server.wait_closed(), 60) is ExitKind.SHUTDOWN
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
    left = {path.name for path in (state / "postgres-17").iterdir()}
    assert left - {"run"} == {"data", "server.log"}  # a long path has its socket elsewhere


async def test_a_stale_pid_file_that_names_a_stranger_is_no_obstacle(state: Path) -> None:
    stranger = await asyncio.create_subprocess_exec("sleep", "60")  # PostgreSQL forgives its parents' pids only
    lines = (str(stranger.pid), str(state), "1", "5432", "/tmp", "", "1 1", "ready", "")
    (state / "postgres-17/data/postmaster.pid").write_text("\n".join(lines))
    try:
        async with started(EmbeddedPostgres(state, settings=FAST)) as url:
            assert await value(url, "SELECT 1") == 1
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


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
        async with asyncio.timeout(60):
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
