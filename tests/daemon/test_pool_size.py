"""How many workers there are, and how large one may grow."""

import asyncio

import pytest

from daemon.pool_messages import (
    RemoteError,
    WorkerDied,
    WorkerExited,
    WorkerStarted,
)
from tests.daemon import pool_tasks as tasks
from tests.daemon.pool_house import MIB, House, children, eventually, hanging, on_both_loops


@on_both_loops
async def test_no_more_than_five_children_at_once(house: House) -> None:
    async with house.pool() as pool:
        flag = house.file()
        calls = [asyncio.create_task(pool.compute(tasks.wait_for, str(flag))) for _ in range(12)]
        await eventually(lambda: pool.stats().busy == 5)
        assert len(children()) == 5
        assert (pool.free, pool.stats().queued) == (0, 7)
        flag.touch()
        assert len(set(await asyncio.gather(*calls))) == 5
        assert len(house.of(WorkerStarted)) == 5
        assert pool.free == 5


@on_both_loops
async def test_deaths_do_not_make_a_sixth_child(house: House) -> None:
    async with house.pool() as pool:
        most = 0

        async def count() -> None:
            nonlocal most
            while True:
                most = max(most, len(children()))
                await asyncio.sleep(0.005)

        counting = asyncio.create_task(count())
        await asyncio.gather(*(pool.compute(tasks.die) for _ in range(10)), return_exceptions=True)
        counting.cancel()
        assert most == 5


@on_both_loops
async def test_waiting_calls_are_served_first_come_first_served(house: House) -> None:
    async with house.pool(1) as pool:
        order: list[int] = []

        async def call(number: int) -> None:
            order.append(await pool.compute(tasks.add, number, 0))

        await asyncio.gather(*(call(number) for number in range(20)))
        assert order == list(range(20))


@on_both_loops
async def test_a_worn_child_is_retired_once_its_replacement_is_ready(house: House) -> None:
    async with house.pool(2, max_tasks=3) as pool:
        first = await pool.compute(tasks.pid)
        while await pool.compute(tasks.pid) == first:  # never waits for a start: the old one serves until then
            pass
        [exited] = await house.until(WorkerExited)
        kinds = [type(event) for event in house.events]
        assert kinds[:3] == [WorkerStarted, WorkerStarted, WorkerExited]
        assert (exited.pid, exited.exit_code) == (first, 0)
        assert exited.tasks >= 3
        assert exited.reason == "replaced, having reached 3 calls"
        assert (pool.stats().recycled, pool.stats().died) == (1, 0)


@on_both_loops
async def test_recycling_under_load_loses_no_call_and_never_computes_six_at_once(house: House) -> None:
    async with house.pool(5, max_tasks=40) as pool:
        most_busy = most_alive = 0

        async def lane(number: int) -> list[int]:
            return [await pool.compute(tasks.add, number, term) for term in range(100)]

        async def count() -> None:
            nonlocal most_busy, most_alive
            while True:
                most_busy = max(most_busy, pool.stats().busy)
                most_alive = max(most_alive, len(children()))
                await asyncio.sleep(0.002)

        counting = asyncio.create_task(count())
        lanes = await asyncio.gather(*(lane(number) for number in range(10)))
        await house.until(WorkerExited, 3)
        counting.cancel()
        assert lanes == [[number + term for term in range(100)] for number in range(10)]
        assert most_busy == 5
        assert most_alive <= 6  # one replacement at a time starts ahead; it computes when the old one has stopped
        assert pool.stats().died == 0


@on_both_loops
async def test_a_child_over_its_memory_limit_is_killed_while_it_computes(house: House) -> None:
    house.monkeypatch.setattr("daemon.pool_crew.WATCH_SECONDS", 0.05)
    async with house.pool(2, max_rss_bytes=64 * MIB) as pool:
        with pytest.raises(WorkerDied, match=r"was killed with \d+ MiB resident, over the limit of 64 MiB"):
            await pool.compute(tasks.allocate_and_hang, 100 * MIB)
        assert pool.stats().died == 1


@on_both_loops
async def test_a_child_over_its_memory_limit_after_a_call_is_retired(house: House) -> None:
    house.monkeypatch.setattr("daemon.pool_crew.WATCH_SECONDS", 3600)
    async with house.pool(2, max_rss_bytes=64 * MIB) as pool:
        pid = await pool.compute(tasks.allocate, 100 * MIB)
        assert await pool.compute(tasks.pid) != pid
        [exited] = await house.until(WorkerExited)
        assert exited.pid == pid
        assert "MiB resident, over 64 MiB" in exited.reason
        assert (pool.stats().recycled, pool.stats().died) == (1, 0)


@on_both_loops
async def test_a_data_limit_is_a_memory_error_in_the_function(house: House) -> None:
    async with house.pool(1, max_data_bytes=200 * MIB) as pool:
        with pytest.raises(RemoteError, match="MemoryError"):
            await pool.compute(tasks.allocate, 300 * MIB)
        assert await pool.compute(tasks.add, 1, 1) == 2


@on_both_loops
async def test_nothing_ticks_while_nothing_is_computed(house: House) -> None:
    house.monkeypatch.setattr("daemon.pool_crew.WATCH_SECONDS", 0.01)
    async with house.pool(2) as pool:
        call, _ = await hanging(pool, house.file())
        crew = pool._crew
        assert crew is not None
        assert crew._watch is not None
        call.cancel()
        await pool.compute(tasks.nothing)
        await eventually(lambda: pool.stats().starting == 0 and house.of(WorkerExited))
        await eventually(lambda: crew._watch is None)
        assert crew._retry is None
        assert all(worker._alarm is None for worker in crew.workers)


@on_both_loops
async def test_a_child_is_light_and_the_first_to_go(house: House) -> None:
    house.monkeypatch.setenv("PYTHONPATH", "/somewhere")
    house.monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    house.monkeypatch.setenv("OMP_NUM_THREADS", "2")
    async with house.pool(1) as pool:
        facts = await pool.compute(tasks.limits)
    assert facts["oom"] == "500"
    assert facts["threads"] == "12"  # one thread each, unless the operator says otherwise
    assert facts["pythonpath"] == "/somewhere"  # programs that functions start see what ours would
    assert not {"daemon", "asyncpg", "pydantic", "uvloop", "shapely", "anyio"} & set(facts["loaded"].split(","))
