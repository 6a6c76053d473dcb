"""Several processes and one database: guests, daemons and those who wait for them."""

import asyncio
from pathlib import Path

import pytest

from daemon.embedded import EmbeddedEvent, EmbeddedPostgres, StateDirectoryHeldError, attach, open_database
from daemon.embedded_events import OrphanFound, WaitingForGuests, WaitingForHolder
from daemon.embedded_lock import StateLock, joined_guests, read_holder
from tests.daemon import embedded_support as support
from tests.daemon.embedded_support import FAST, execute, leftovers, owner, value

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]


async def test_nobody_to_attach_to(tmp_path: Path) -> None:
    assert await attach(tmp_path) is None
    assert await attach(tmp_path / "missing") is None


async def test_a_command_uses_the_daemons_server(state: Path) -> None:
    async with owner(state, "daemon") as daemon:
        _, url = await daemon.up()
        assert await attach(state) == url
        async with open_database(state) as same:
            assert same == url
            assert await value(same, "SELECT 1") == 1
        assert await value(url, "SELECT 1") == 1
        await daemon.finish()
    assert await attach(state) is None


async def test_nobody_attaches_to_the_server_of_a_dead_daemon(state: Path) -> None:
    async with owner(state, "daemon") as daemon:
        postmaster, _ = await daemon.up()
        await daemon.kill()
        assert await attach(state) is None
        assert await support.ended(postmaster)


async def test_a_command_without_a_daemon_starts_the_server_and_stops_it(state: Path) -> None:
    async with open_database(state, settings=FAST) as url:
        await execute(url, "CREATE TABLE kept_guests1 AS SELECT 42 AS n")
        assert await attach(state) is None, "a guest's server is no daemon's"
    assert leftovers(state) == []
    async with open_database(state, settings=FAST) as url:
        assert await value(url, "SELECT n FROM kept_guests1") == 42


async def test_a_daemon_waits_for_a_guest(state: Path) -> None:
    heard: asyncio.Queue[EmbeddedEvent] = asyncio.Queue()
    server = EmbeddedPostgres(state, settings=FAST, on_event=heard.put_nowait)
    async with owner(state, "guest") as guest:
        _, url = await guest.up()
        starting = asyncio.ensure_future(server.start("daemon"))
        try:
            assert await asyncio.wait_for(heard.get(), 60) == WaitingForHolder(guest.pid, "guest")
            assert await value(url, "SELECT 1") == 1
            assert not starting.done()
            await guest.finish()
            assert await value(await asyncio.wait_for(starting, 60), "SELECT 1") == 1
        finally:
            starting.cancel()
            await server.stop()


async def test_a_guest_that_is_killed_is_not_waited_for_for_ever(state: Path) -> None:
    server = EmbeddedPostgres(state, settings=FAST)
    async with owner(state, "guest") as guest:
        await guest.up()
        starting = asyncio.ensure_future(server.start("daemon"))
        await guest.kill()
        try:
            assert await value(await asyncio.wait_for(starting, 60), "SELECT 1") == 1
        finally:
            await server.stop()


async def test_the_first_guest_to_leave_waits_for_the_others(state: Path) -> None:
    async with owner(state, "guest") as first:
        _, url = await first.up()
        async with open_database(state) as same:
            assert same == url
            assert first.process.stdin is not None
            first.process.stdin.close()
            await first.hears(WaitingForGuests.__name__)
            assert await value(same, "SELECT 1") == 1
            # It is on its way out: who comes now must not hold it up, but wait and start a server anew.
            late = asyncio.ensure_future(_one_query(state))
            await asyncio.sleep(0.2)
            assert not late.done()
        await first.hears("down")
        assert await asyncio.wait_for(late, 60) == 1


async def test_commands_that_start_at_once_all_get_through(state: Path) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(_short_guest(state))


async def test_a_command_gives_up_on_a_daemon_that_never_gets_ready(tmp_path: Path) -> None:
    lock, heard = StateLock(tmp_path), list[EmbeddedEvent]()
    await lock.acquire("daemon", heard.append)
    with pytest.raises(StateDirectoryHeldError):
        async with open_database(tmp_path, patience=0.2, on_event=heard.append):
            pass
    holder = read_holder(tmp_path)
    assert holder is not None
    assert heard == [WaitingForHolder(holder.pid, "daemon")]
    lock.release()


async def test_a_killed_guests_server_is_replaced(state: Path) -> None:
    events: list[EmbeddedEvent] = []
    async with owner(state, "guest") as guest:
        await guest.up()
        await guest.kill()
    async with open_database(state, settings=FAST, on_event=events.append) as url:
        assert await value(url, "SELECT 1") == 1
    assert all(isinstance(event, OrphanFound) for event in events[:-1])


async def test_a_holder_without_a_name_is_reported_as_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.embedded_lock._NAMELESS_SECONDS", 0.1)
    lock = StateLock(tmp_path)
    await lock.acquire("daemon", print)
    (tmp_path / "lock").write_text('{"pid": 4194305, "role": "daemon", "leaving": false}')
    with pytest.raises(StateDirectoryHeldError, match="another container") as refused:
        await EmbeddedPostgres(tmp_path).start("daemon")
    assert (refused.value.pid, refused.value.role) == (None, "unknown")
    lock.release()


async def test_no_seat_beside_a_guest_that_stops(tmp_path: Path) -> None:
    lock = StateLock(tmp_path)
    await lock.acquire("guest", print)
    with joined_guests(tmp_path) as seated:
        assert seated
        leaving = asyncio.ensure_future(lock.leave(print))
        await asyncio.sleep(0.05)
        assert not leaving.done()
        holder = read_holder(tmp_path)
        assert holder is not None
        assert holder.leaving
    await asyncio.wait_for(leaving, 60)
    lock.release()
    assert read_holder(tmp_path) is None


async def test_a_cancelled_guest_stops_its_server_without_waiting(state: Path) -> None:
    told = asyncio.Event()
    server = EmbeddedPostgres(
        state,
        settings=FAST,
        on_event=lambda event: told.set() if isinstance(event, WaitingForGuests) else None,
    )
    await server.start("guest")
    with joined_guests(state):
        stopping = asyncio.ensure_future(server.stop())
        await asyncio.wait_for(told.wait(), 60)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
    assert leftovers(state) == []


async def _one_query(state: Path) -> object:
    async with open_database(state, settings=FAST) as url:
        return await value(url, "SELECT 1")


async def _short_guest(state: Path) -> None:
    async with owner(state, "guest") as guest:
        _, url = await guest.up()
        assert await value(url, "SELECT 1") == 1
        await guest.finish()
