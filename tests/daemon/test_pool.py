"""The worker pool with real processes, on asyncio's loop and on uvloop."""

import asyncio
import contextvars
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
import psutil
import pytest
import uvloop

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

MIB = 1 << 20
ROOT = str(Path(__file__).parents[2])
E = TypeVar("E")
Scenario = Callable[..., Awaitable[None]]


others: set[psutil.Process] = set()


def children(*, recursive: bool = False) -> list[psutil.Process]:
    """Processes that came into being since the scenario began."""
    return [child for child in psutil.Process().children(recursive=recursive) if child not in others]


def on_both_loops(scenario: Scenario) -> Callable[..., None]:
    """Run an `async def test(house)` in a fresh loop of each kind; everything must be closed at its end."""

    @pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
    def test(new_loop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async def go() -> None:
            us = psutil.Process()
            others.clear()
            others.update(us.children(recursive=True))  # the test process may keep a database server
            open_before = us.num_fds()
            async with asyncio.timeout(30):
                await scenario(House(tmp_path, monkeypatch))
            assert children(recursive=True) == []
            assert us.num_fds() == open_before

        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(go())

    test.__name__ = scenario.__name__
    return cast("Callable[..., None]", test)


class House:
    """What a scenario needs: pools whose events it can wait for, and a place for files."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.monkeypatch = monkeypatch
        self.events: list[PoolEvent] = []
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def pool(self, size: int = 5, **options: Any) -> AsyncIterator[Pool]:
        pool = Pool(size, on_event=self._note, **options)
        await pool.start()
        try:
            yield pool
        finally:
            await pool.stop(grace=2)

    def _note(self, event: PoolEvent) -> None:
        self.events.append(event)
        self._changed.set()

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type[E], count: int = 1) -> list[E]:
        """The events of that kind, once there are `count`."""
        while len(found := self.of(kind)) < count:
            self._changed.clear()
            await self._changed.wait()
        return found

    def file(self, name: str = "flag") -> Path:
        return self.path / name


async def eventually(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


async def hanging(pool: Pool, path: Path) -> tuple[asyncio.Task[Any], int]:
    """A call that hangs in a child, and that child's pid."""
    call: asyncio.Task[Any] = asyncio.create_task(pool.compute(tasks.say_and_hang, str(path)))
    await eventually(path.exists)
    return call, int(path.read_text())


def gone(pid: int, seconds: float = 5) -> bool:
    """Has that process, of whomever it is a child, ended within so long?"""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], seconds)[0])
    finally:
        os.close(pidfd)


# Values and errors


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


# Death


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
        assert 0.1 <= time.monotonic() - began < 5
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
        assert time.monotonic() - began < 0.5
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


# How many


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


# Limits


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
    async with house.pool(1) as pool:
        facts = await pool.compute(tasks.limits)
    assert facts["oom"] == "500"
    assert facts["pythonpath"] == "/somewhere"  # programs that functions start see what ours would
    assert not {"daemon", "asyncpg", "pydantic", "uvloop", "shapely", "anyio"} & set(facts["loaded"].split(","))


# What they say


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


# Start and stop


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
        assert 0.3 <= time.monotonic() - began < 5
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


# All of it at once


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
        (20, lambda: pool.compute(tasks.add_slowly, number, 1, timeout=20), number + 1),
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
