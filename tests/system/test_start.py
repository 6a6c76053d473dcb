"""Starts that cannot be: one clear line, the right exit status, and nothing left."""

from __future__ import annotations

import signal
import socket
import time

import pytest

from tests.ports import free_port
from tests.system.place import External
from tests.system.stage import Stage

pytestmark = pytest.mark.quiet


@pytest.mark.on("embedded")
async def test_a_second_daemon_of_the_same_place_is_refused_and_told_who_holds_it(stage: Stage) -> None:
    first = await stage.daemon()
    second = await stage.daemon(wait=False)
    assert await second.ended() == 1
    (line,) = [found["event"] for found in second.lines]
    assert f"process {first.pid}" in line
    assert "state directory" in line
    await stage.settled()
    assert first.alive
    assert await first.stop() == 0
    await stage.balance()


@pytest.mark.on("external")
async def test_twins_of_one_state_directory_are_not_taken_for_each_others_past(stage: Stage) -> None:
    """One who starts beside another must not bury it as an earlier life of the same place."""
    first, second = await stage.daemon(), await stage.daemon()
    await stage.settled()
    third = await stage.daemon()
    await third.says("trial.* succeeded")
    for node in (first, second, third):
        assert not node.said("lease is lost|rescued"), node.log()
        assert await node.stop() == 0
    await stage.balance()


async def test_a_taken_port_is_one_clear_line(stage: Stage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        node = await stage.daemon(wait=False, SEXTON_METRICS__LISTEN=listen)
        assert await node.ended() == 1
    (line,) = node.said("metrics.listen")
    assert listen in line["event"]
    assert "SEXTON_METRICS__LISTEN=" in line["event"]
    assert not node.said("Traceback")
    async with stage.place.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM sexton.node WHERE dead_at IS NULL") == 0


async def test_what_a_suite_finds_wrong_in_its_tables_stops_the_start_before_anything_runs(stage: Stage) -> None:
    first = await stage.daemon()
    async with stage.place.connection() as connection:
        await connection.execute("INSERT INTO trial.done (key) VALUES (-1)")
    assert await first.stop() == 0
    node = await stage.daemon(wait=False)
    assert await node.ended() == 1
    assert len(node.said("trial: key -1")) == 1
    assert not node.said("Traceback")
    async with stage.place.connection() as connection:
        await connection.execute("DELETE FROM trial.done WHERE key = -1")
    again = await stage.daemon()
    assert await again.stop() == 0


@pytest.mark.on("external")
async def test_a_database_that_does_not_answer_yet_is_waited_for_and_sigterm_ends_the_wait(stage: Stage) -> None:
    url = f"postgresql://sexton@127.0.0.1:{free_port()}/sexton"
    node = await stage.daemon(wait=False, SEXTON_DATABASE__URL=url)
    await node.says("does not answer yet", count=3)
    began = time.monotonic()
    node.signal(signal.SIGTERM)
    status = await node.ended()
    assert time.monotonic() - began < 30
    assert status == 0
    assert not node.said("Traceback"), node.log()


@pytest.mark.on("external")
async def test_a_database_that_comes_up_late_is_found(stage: Stage) -> None:
    assert isinstance(stage.place, External)
    await stage.place.stop()
    node = await stage.daemon(wait=False)
    await node.says("does not answer yet", count=2)
    await stage.place.start()
    await node.ready()
    await stage.settled()
    assert await node.stop() == 0
    await stage.balance()


@pytest.mark.on("external")
async def test_a_database_that_refuses_us_is_an_error_and_no_wait(stage: Stage) -> None:
    url = stage.place.url.replace("/sexton?", "/no_such_database?")
    node = await stage.daemon(wait=False, SEXTON_DATABASE__URL=url)
    assert await node.ended() == 1
    assert not node.said("Traceback"), node.log()
    assert node.said("no_such_database")
