"""What systemd is told, on a real datagram socket; and nothing at all where nobody listens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import systemd
from daemon.systemd import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """systemd's end of the socket, and the address as `$NOTIFY_SOCKET` gives it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@sexton-test-{os.getpid()}-{id(request)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        listening.settimeout(30)
        yield listening, name


def test_each_message_is_one_datagram_in_systemds_words(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    notifier = Notifier({"NOTIFY_SOCKET": address})
    assert notifier
    notifier.ready("3 jobs")
    notifier.watchdog()
    notifier.extend(45.5)
    notifier.stopping("draining: 2 running")
    heard = [listening.recv(4096).decode() for _ in range(4)]
    assert heard == [
        "READY=1\nSTATUS=3 jobs",
        "WATCHDOG=1",
        "EXTEND_TIMEOUT_USEC=45500000",
        "STOPPING=1\nSTATUS=draining: 2 running",
    ]


def test_a_reload_carries_the_monotonic_time_as_notify_reload_wants(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    Notifier({"NOTIFY_SOCKET": address}).reloading()
    first, second = listening.recv(4096).decode().split("\n")
    assert first == "RELOADING=1"
    assert abs(int(second.removeprefix("MONOTONIC_USEC=")) / 1e6 - time.monotonic()) < 60


def test_a_status_is_told_when_it_changes_and_is_one_line(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    notifier = Notifier({"NOTIFY_SOCKET": address})
    for status in ("a", "a", "database away (refused\nWATCHDOG=trigger)", "a"):
        notifier.status(status)
    heard = [listening.recv(4096).decode() for _ in range(3)]
    assert heard == ["STATUS=a", "STATUS=database away (refused WATCHDOG=trigger)", "STATUS=a"]
    listening.setblocking(False)
    with pytest.raises(BlockingIOError):
        listening.recv(4096)


@pytest.mark.parametrize(
    ("environment", "there"),
    [({}, False), ({"NOTIFY_SOCKET": ""}, False), ({"NOTIFY_SOCKET": "/nowhere/at/all"}, True)],
)
def test_without_a_manager_nothing_happens(environment: dict[str, str], *, there: bool) -> None:
    notifier = Notifier(environment)
    for say in (notifier.ready, notifier.status, notifier.stopping):
        say("x")
    notifier.watchdog()
    notifier.extend(1)
    notifier.reloading()
    assert bool(notifier) is there


async def test_more_time_is_asked_for_as_long_as_a_phase_lasts(
    manager: tuple[socket.socket, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "EXTEND_EVERY", 0.01)
    listening, address = manager
    listening.setblocking(False)
    loop = asyncio.get_running_loop()
    with Notifier({"NOTIFY_SOCKET": address}).unhurried():
        for _ in range(3):
            assert await asyncio.wait_for(loop.sock_recv(listening, 4096), 60) == b"EXTEND_TIMEOUT_USEC=60000000"
    await asyncio.sleep(0.05)
    with contextlib.suppress(BlockingIOError):
        while listening.recv(4096):
            pass
    await asyncio.sleep(0.05)
    with pytest.raises(BlockingIOError):
        listening.recv(4096)


def test_a_manager_that_comes_back_is_told_again(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    notifier = Notifier({"NOTIFY_SOCKET": str(address)})
    notifier.watchdog()  # it is being re-executed
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(30)
        notifier.watchdog()
        assert manager.recv(4096) == b"WATCHDOG=1"


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_ours_only_if_systemd_means_this_process(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert Notifier(environment).watchdog_seconds == seconds
