"""Workers that die, hang or are killed: what it costs, and whom."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import psutil
import pytest

from daemon.pool_messages import (
    ComputeTimeout,
    WorkerDied,
    WorkerExited,
    WorkerStarted,
    WorkerStderr,
)
from tests.daemon import pool_tasks as tasks
from tests.daemon.pool_house import MIB, ROOT, House, children, eventually, gone, hanging, on_both_loops


@on_both_loops
async def test_a_child_that_exits_or_is_killed_costs_only_its_call(house: House) -> None:
    async with house.pool(3) as pool:
        flag = house.file()
        other = asyncio.create_task(pool.compute(tasks.wait_for, str(flag)))
        with pytest.raises(WorkerDied, match="exited with status 3") as exited:
            await pool.compute(tasks.exit_hard, 3, name="flights.airspace")
        with pytest.raises(WorkerDied, match="was killed by SIGKILL") as killed:
            await pool.compute(tasks.die)
        with pytest.raises(WorkerDied, match="was killed by SIGSEGV"):
            await pool.compute(tasks.crash)
        assert (exited.value.exit_code, exited.value.task) == (3, "flights.airspace")
        assert (killed.value.exit_code, killed.value.task) == (-9, "tests.daemon.pool_tasks.die")
        flag.touch()
        survivor = await other
        assert survivor not in {exited.value.pid, killed.value.pid}
        assert pool.stats().died == 3
        assert any("Segmentation fault" in event.line for event in house.of(WorkerStderr))


@on_both_loops
async def test_a_dead_child_is_replaced_without_being_asked(house: House) -> None:
    async with house.pool(2) as pool:
        pool.warm(2)
        await house.until(WorkerStarted, 2)
        with pytest.raises(WorkerDied):
            await pool.compute(tasks.die)
        await house.until(WorkerStarted, 3)
        assert pool.stats().idle == 2


@on_both_loops
async def test_a_hanging_call_is_killed_at_its_deadline(house: House) -> None:
    async with house.pool() as pool:
        await pool.compute(tasks.nothing)
        began = time.monotonic()
        with pytest.raises(ComputeTimeout, match=r"slow work did not end within 0.1 s") as caught:
            await pool.compute(tasks.hang, timeout=0.1, name="slow work")
        assert 0.1 <= time.monotonic() - began < 60
        assert (caught.value.seconds, caught.value.task) == (0.1, "slow work")
        assert not psutil.pid_exists(caught.value.pid)  # dead before the caller goes on
        [exited] = house.of(WorkerExited)
        assert exited.reason == "slow work did not end within 0.1 s"


@on_both_loops
async def test_waiting_for_a_child_does_not_count_against_the_timeout(house: House) -> None:
    async with house.pool(1) as pool:
        flag = house.file()
        first = asyncio.create_task(pool.compute(tasks.wait_for, str(flag)))
        second = asyncio.create_task(pool.compute(tasks.pid, timeout=0.5))
        await asyncio.sleep(0.7)
        flag.touch()
        assert await first == await second


@on_both_loops
async def test_cancelling_the_caller_kills_the_child_at_once(house: House) -> None:
    async with house.pool(1) as pool:
        call, pid = await hanging(pool, house.file("a"))
        queued = asyncio.create_task(pool.compute(tasks.add, 1, 1))
        began = time.monotonic()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert time.monotonic() - began < 60  # the call would go on for an hour
        assert await queued == 2
        assert not psutil.pid_exists(pid)
        with anyio.move_on_after(0.1) as scope:
            await pool.compute(tasks.hang)
        assert scope.cancelled_caught
        assert [event.reason for event in await house.until(WorkerExited, 2)] == [
            "the caller of tests.daemon.pool_tasks.say_and_hang was cancelled",
            "the caller of tests.daemon.pool_tasks.hang was cancelled",
        ]


@on_both_loops
async def test_cancelling_a_waiting_call_harms_nobody(house: House) -> None:
    async with house.pool(1) as pool:
        flag = house.file()
        first = asyncio.create_task(pool.compute(tasks.wait_for, str(flag)))
        second = asyncio.create_task(pool.compute(tasks.pid))
        third = asyncio.create_task(pool.compute(tasks.pid))
        await eventually(lambda: pool.stats().queued == 2)
        second.cancel()
        flag.touch()
        assert await first == await third
        assert second.cancelled()
        assert house.of(WorkerExited) == []


@on_both_loops
async def test_what_a_killed_call_started_dies_with_its_child(house: House) -> None:
    async with house.pool(1) as pool:
        grandchild = await pool.compute(tasks.start_grandchild)
        with pytest.raises(ComputeTimeout):
            await pool.compute(tasks.hang, timeout=0.05)
        assert gone(grandchild)


@on_both_loops
async def test_a_call_that_a_dying_child_never_read_goes_to_another(house: House) -> None:
    async with house.pool(1) as pool:
        pid = await pool.compute(tasks.pid)
        os.kill(pid, signal.SIGSTOP)
        call = asyncio.create_task(pool.compute(tasks.pid))
        await eventually(lambda: pool.stats().busy == 1)
        os.kill(pid, signal.SIGKILL)
        assert await call != pid


@on_both_loops
async def test_a_call_that_kills_whoever_reads_it_is_not_passed_on_for_ever(house: House) -> None:
    async with house.pool(1) as pool:
        call = asyncio.create_task(pool.compute(tasks.echo, b"poison" * MIB))  # is sent in parts
        for count in (1, 2):
            pid = (await house.until(WorkerStarted, count))[-1].pid
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(WorkerDied):
            await call


@on_both_loops
async def test_terminal_and_service_manager_signals_are_left_to_the_supervisor(house: House) -> None:
    async with house.pool(1) as pool:
        pool.warm(1)
        [child] = children()
        for number in (signal.SIGTERM, signal.SIGINT):
            child.send_signal(number)  # while it starts
        assert (await house.until(WorkerStarted))[0].pid == child.pid
        flag = house.file()
        call = asyncio.create_task(pool.compute(tasks.wait_for, str(flag)))
        for number in (signal.SIGTERM, signal.SIGINT):
            child.send_signal(number)  # while it computes
        flag.touch()
        assert await call == child.pid
        assert os.getpgid(child.pid) == child.pid  # a signal to our group does not even reach it


PARENT = """
import asyncio, sys
from pathlib import Path
from daemon.pool import Pool
from tests.daemon import pool_tasks as tasks

async def main():
    pool = Pool(2)
    await pool.start()
    paths = [Path(sys.argv[1]) / name for name in "ab"]
    calls = [asyncio.create_task(pool.compute(tasks.say_and_hang, str(path))) for path in paths]
    while not all(path.exists() for path in paths):
        await asyncio.sleep(0.01)
    print(*(path.read_text() for path in paths), flush=True)
    await asyncio.gather(*calls)

asyncio.run(main())
"""


def test_no_child_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": ROOT}) as parent:
        assert parent.stdout is not None
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        parent.kill()
    assert all(gone(pid) for pid in children)
