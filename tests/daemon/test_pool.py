"""The worker pool with real processes, on asyncio's loop and on uvloop: what goes in and what comes back."""

import asyncio
import contextvars
import os

import pytest

from daemon.pool_messages import (
    RemoteError,
    WorkerStarted,
)
from tests.daemon import pool_tasks as tasks
from tests.daemon.pool_house import MIB, House, children, on_both_loops


@on_both_loops
async def test_the_value_comes_back(house: House) -> None:
    async with house.pool() as pool:
        assert await pool.compute(tasks.add, 2, 3) == 5
        assert await pool.compute(tasks.pid) != os.getpid()
        assert pool.stats().tasks == 2


@on_both_loops
async def test_nothing_is_spawned_before_the_first_call_and_warm_spawns_ahead(house: House) -> None:
    async with house.pool(3) as pool:
        assert (pool.free, pool.stats().idle, children()) == (3, 0, [])
        pool.warm(9)
        started = await house.until(WorkerStarted, 3)
        assert pool.stats().idle == 3
        assert await pool.compute(tasks.pid) in {event.pid for event in started}


@on_both_loops
async def test_an_asynchronous_function_is_awaited_in_one_lasting_loop(house: House) -> None:
    async with house.pool(1) as pool:
        assert await pool.compute(tasks.add_slowly, 2, 3) == 5
        loop = await pool.compute(tasks.remember, "kept")
        await asyncio.sleep(0.2)  # the child is idle, and what the call left running goes on
        value, same, idle = await pool.compute(tasks.recall)
        assert (value, same) == ("kept", loop)
        assert idle > 0
        assert await pool.compute(tasks.nested_loop) == 42


@on_both_loops
async def test_an_exception_arrives_with_its_remote_traceback_and_itself_as_cause(house: House) -> None:
    async with house.pool() as pool:
        with pytest.raises(RemoteError, match="ValueError: no such flight") as caught:
            await pool.compute(tasks.fail, "no such flight")
        assert (caught.value.type_name, caught.value.message) == ("ValueError", "no such flight")
        assert "in fail" in caught.value.traceback
        assert isinstance(caught.value.__cause__, ValueError)
        with pytest.raises(RemoteError, match="LookupError: slow"):
            await pool.compute(tasks.fail_slowly, "slow")
        assert pool.stats().died == 0


@on_both_loops
async def test_an_exception_that_cannot_travel_still_tells_its_story(house: House) -> None:
    async with house.pool() as pool:
        with pytest.raises(RemoteError, match=r"pool_tasks.OddError: odd \(7\)") as caught:
            await pool.compute(tasks.fail_oddly)
        assert caught.value.__cause__ is None
        assert "fail_oddly" in caught.value.traceback
        with pytest.raises(RemoteError, match="SystemExit: no more"):
            await pool.compute(tasks.leave_politely)


@on_both_loops
async def test_an_unpicklable_result_is_a_clear_error_and_the_child_goes_on(house: House) -> None:
    async with house.pool(1) as pool:
        pid = await pool.compute(tasks.pid)
        with pytest.raises(RemoteError, match=r"the result, a function, cannot be pickled"):
            await pool.compute(tasks.unpicklable)
        with pytest.raises(RemoteError, match=r"homebody cannot be unpickled: far from home"):
            await pool.compute(tasks.homebody)
        assert await pool.compute(tasks.pid) == pid


@on_both_loops
async def test_what_a_child_cannot_import_or_receive_is_refused_here(house: House) -> None:
    def closure() -> None: ...

    async with house.pool() as pool:
        for function in (closure, lambda: None):
            with pytest.raises(TypeError, match="lambda or a closure"):
                await pool.compute(function)
        with pytest.raises(TypeError, match=r"arguments of .*echo cannot be pickled"):
            await pool.compute(tasks.echo, closure)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="not a function"):
            await pool.compute(contextvars.copy_context().run, tasks.nothing)
        assert not children()


@on_both_loops
async def test_megabytes_travel_both_ways_at_once(house: House) -> None:
    payloads = [os.urandom(1000) * 9000, b"", b"x", os.urandom(65528), os.urandom(65536), os.urandom(3 * MIB)]
    async with house.pool(3) as pool:
        answers = await asyncio.gather(*(pool.compute(tasks.echo, payload) for payload in payloads))
    assert answers == payloads
