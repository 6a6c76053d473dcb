"""A pool's start, its words, its end; and everything at once."""

import asyncio
import contextvars
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from daemon import pool_process
from daemon.pool import Pool
from daemon.pool_messages import (
    ComputeTimeout,
    PoolClosed,
    PoolEvent,
    RemoteError,
    WorkerDied,
    WorkerExited,
    WorkerStarted,
    WorkerStartError,
    WorkerStartFailed,
    WorkerStderr,
)
from tests.daemon import pool_tasks as tasks
from tests.daemon.pool_house import House, children, eventually, gone, hanging, on_both_loops


@on_both_loops
async def test_output_reaches_the_observer_with_the_name_of_the_call(house: House) -> None:
    async with house.pool(1) as pool:
        await pool.compute(tasks.speak, "to stderr", name="first")
        await pool.compute(tasks.print_partly, "to stdout, no newline", name="second")
        await pool.compute(tasks.speak, "x" * 5000, name="third")
        await pool.compute(tasks.speak, "many", 2000, name="fourth")
    said = [(event.task, event.line) for event in house.of(WorkerStderr)]
    assert said[:3] == [
        ("first", "to stderr"),
        ("second", "to stdout, no newline"),
        ("third", "x" * 4096 + " … (904 more bytes)"),
    ]
    assert said[3:] == [("fourth", "many")] * 2000


@on_both_loops
async def test_an_observer_that_raises_is_reported_and_the_pool_goes_on(house: House) -> None:
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))

    def observer(event: PoolEvent) -> None:
        raise RuntimeError(f"not interested in {type(event).__name__}")

    pool = Pool(1, on_event=observer)
    await pool.start()
    assert await pool.compute(tasks.add, 1, 2) == 3
    await pool.stop(grace=2)
    assert [str(report["exception"]) for report in reports] == [
        "not interested in WorkerStarted",
        "not interested in WorkerExited",
    ]


@on_both_loops
async def test_events_carry_the_context_of_the_pool_not_of_a_caller(house: House) -> None:
    run = contextvars.ContextVar("run", default="none")
    seen: set[str] = set()
    pool = Pool(1, on_event=lambda _: seen.add(run.get()))
    await pool.start()
    run.set("a job's")
    await pool.compute(tasks.speak, "hello")
    await pool.stop(grace=2)
    assert seen == {"none"}


BROKEN = (sys.executable, "-c", "import sys; sys.exit('cannot import numpy')")


@on_both_loops
async def test_children_that_do_not_start_are_a_clear_error_with_growing_delays(house: House) -> None:
    good = pool_process.COMMAND
    house.monkeypatch.setattr(pool_process, "COMMAND", BROKEN)
    async with house.pool(3) as pool:
        calls = [asyncio.create_task(pool.compute(tasks.add, 1, term)) for term in range(4)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(answer, WorkerStartError) for answer in answers)
        assert "cannot import numpy" in str(answers[0])
        delays = {event.failures: event.retry_in for event in house.of(WorkerStartFailed)}
        assert delays == {1: 0.1, 2: 0.2, 3: 0.4}
        began = len(house.events)
        with pytest.raises(WorkerStartError, match="next try in 0"):
            await pool.compute(tasks.add, 1, 1)
        assert (len(house.events), pool.free) == (began, 0)  # refused without another attempt
        house.monkeypatch.setattr(pool_process, "COMMAND", good)
        await eventually(lambda: pool.free == 3)
        assert await pool.compute(tasks.add, 1, 1) == 2


@on_both_loops
async def test_a_failing_exec_is_a_clear_error(house: House) -> None:
    house.monkeypatch.setattr(pool_process, "COMMAND", ("/nowhere/python",))
    async with house.pool(3) as pool:
        with pytest.raises(WorkerStartError, match=r"FileNotFoundError.*/nowhere/python"):
            await pool.compute(tasks.nothing)


@on_both_loops
async def test_children_that_die_idle_are_not_replaced_in_a_busy_loop(house: House) -> None:
    async with house.pool(1) as pool:
        pool.warm(1)
        for count in (1, 2):
            os.kill((await house.until(WorkerStarted, count))[-1].pid, signal.SIGKILL)
            failed = (await house.until(WorkerStartFailed, count))[-1]
            assert (failed.failures, pool.stats().starting) == (count, 0)
            assert "was killed by SIGKILL" in failed.reason
            pool.warm(1)  # is heeded when the delay is over
        await house.until(WorkerStarted, 3)


@on_both_loops
async def test_a_child_that_is_never_ready_is_killed(house: House) -> None:
    house.monkeypatch.setattr(pool_process, "COMMAND", (sys.executable, "-c", "import time; time.sleep(3600)"))
    house.monkeypatch.setattr("daemon.pool_crew.START_SECONDS", 0.05)
    async with house.pool(1) as pool:
        with pytest.raises(WorkerStartError, match=r"not ready after 0.05 s"):
            await pool.compute(tasks.nothing)


@on_both_loops
async def test_stop_lets_running_calls_end_and_refuses_the_rest(house: House) -> None:
    async with house.pool(1) as pool:
        flag = house.file()
        running = asyncio.create_task(pool.compute(tasks.wait_for, str(flag)))
        queued = asyncio.create_task(pool.compute(tasks.pid))
        await eventually(lambda: pool.stats().busy == 1)
        stopping = asyncio.create_task(pool.stop(grace=10))
        with pytest.raises(PoolClosed, match="before the call was begun"):
            await queued
        with pytest.raises(PoolClosed, match="the pool is stopped"):
            await pool.compute(tasks.pid)
        flag.touch()
        await stopping
        assert await running == house.of(WorkerExited)[0].pid
        assert (house.of(WorkerExited)[0].reason, pool.stats().died) == ("the pool stopped", 0)


@on_both_loops
async def test_stop_kills_what_is_still_running_after_the_grace(house: House) -> None:
    async with house.pool(3) as pool:
        pool.warm(3)  # one will hang, one be idle, one perhaps be starting
        call, pid = await hanging(pool, house.file())
        began = time.monotonic()
        await pool.stop(grace=0.3)
        assert 0.3 <= time.monotonic() - began < 60
        with pytest.raises(WorkerDied, match="because the pool stopped"):
            await call
        assert gone(pid)
        assert not children()


@on_both_loops
async def test_a_stop_that_is_cancelled_still_leaves_nobody(house: House) -> None:
    async with house.pool(2) as pool:
        call, pid = await hanging(pool, house.file())
        with anyio.move_on_after(0.05) as scope:
            await pool.stop(grace=3600)
        assert scope.cancelled_caught
        assert gone(pid)
        assert isinstance((await asyncio.gather(call, return_exceptions=True))[0], WorkerDied)


@on_both_loops
async def test_a_pool_that_was_never_used_stops_and_refuses(house: House) -> None:
    pool = Pool()
    with pytest.raises(PoolClosed, match="not started"):
        await pool.compute(tasks.nothing)
    assert await pool.ping()
    await pool.stop(grace=1)
    with pytest.raises(ValueError, match="at least one child"):
        Pool(0)


@on_both_loops
async def test_ping_tells_a_call_that_outlived_its_deadline(house: House) -> None:
    async with house.pool(1) as pool:
        call, _ = await hanging(pool, house.file())
        assert await pool.ping()
        assert pool._crew is not None
        pool._crew.workers[0].deadline = time.monotonic() - 60  # as if the kill had had no effect
        assert not await pool.ping()
        call.cancel()


async def outcome_of(awaitable: Awaitable[object]) -> object:
    """What a call came to, as a value that can be compared."""
    try:
        return await awaitable
    except WorkerDied as error:
        return "died", error.exit_code, error.task
    except ComputeTimeout as error:
        return "late", error.seconds, error.task
    except RemoteError as error:
        return error.type_name, error.message


def any_call(pool: Pool, chance: random.Random, number: int) -> tuple[Awaitable[object], object]:
    """A call of a random kind, and what it must come to."""
    name = f"call {number}"
    data = chance.randbytes(300_000)
    calls: list[tuple[int, Callable[[], Awaitable[object]], object]] = [
        (40, lambda: pool.compute(tasks.add, number, 1, name=name), number + 1),
        (20, lambda: pool.compute(tasks.add_slowly, number, 1, timeout=100), number + 1),
        (15, lambda: pool.compute(tasks.fail, name), ("ValueError", name)),
        (5, lambda: pool.compute(tasks.exit_hard, number % 256, name=name), ("died", number % 256, name)),
        (3, lambda: pool.compute(tasks.die, name=name), ("died", -9, name)),
        (4, lambda: pool.compute(tasks.hang, timeout=0.05, name=name), ("late", 0.05, name)),
        (5, lambda: pool.compute(tasks.echo, data, name=name), data),
    ]
    [(_, call, expected)] = chance.choices(calls, [weight for weight, _, _ in calls])
    return call(), expected


@on_both_loops
async def test_every_one_of_300_calls_gets_exactly_its_own_outcome(house: House) -> None:
    chance = random.Random(300)
    async with house.pool(5, max_tasks=30) as pool:
        calls, expected = zip(*(any_call(pool, chance, number) for number in range(300)), strict=True)
        assert await asyncio.gather(*map(outcome_of, calls)) == list(expected)
        ends = [answer[0] for answer in expected if isinstance(answer, tuple)]
        assert pool.stats().died == ends.count("died") + ends.count("late")
        assert pool.stats().tasks == 300 - pool.stats().died
        assert pool.stats().busy == pool.stats().queued == 0
