"""`/metrics`, `/healthz`, `/readyz` over real sockets, from a thread that is gone when it is stopped."""

from __future__ import annotations

import contextlib
import http.client
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge

from daemon import probes
from daemon.probes import ProbeServer


class Probed:
    """A server, what it is told, and how to ask it."""

    def __init__(self) -> None:
        self.unwell: list[str] = []
        self.unready: list[str] = []
        self.refreshed = 0
        registry = CollectorRegistry()
        Gauge("sexton_test", "A number", registry=registry).set(7)
        self.server = ProbeServer(registry, lambda: self.unwell, lambda: self.unready, self.refresh)
        self.host, self.port = "127.0.0.1", 0

    def refresh(self) -> None:
        self.refreshed += 1

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()


@pytest.fixture
def probed() -> Iterator[Probed]:
    made = Probed()
    made.port = made.server.start(made.host, 0)
    yield made
    made.server.stop()


def test_a_node_that_is_well_and_ready_says_ok(probed: Probed) -> None:
    assert probed.ask("/healthz") == probed.ask("/readyz") == (200, "ok\n")


def test_reasons_come_with_503_one_a_line(probed: Probed) -> None:
    probed.unready = ["database: refused", "draining"]
    assert probed.ask("/healthz") == (200, "ok\n")
    assert probed.ask("/readyz") == (503, "database: refused\ndraining\n")
    probed.unwell = ["event loop stands still for 12 s"]
    assert probed.ask("/healthz") == (503, "event loop stands still for 12 s\n")


def test_a_scrape_brings_the_numbers_up_to_date_first(probed: Probed) -> None:
    status, text = probed.ask("/metrics")
    assert (status, probed.refreshed) == (200, 1)
    assert "sexton_test 7.0" in text
    probed.ask("/healthz")
    assert probed.refreshed == 1


def test_other_paths_are_pointed_the_right_way(probed: Probed) -> None:
    assert probed.ask("/") == (200, "/metrics\n/healthz\n/readyz\n")
    assert probed.ask("/status") == (404, "try /metrics, /healthz or /readyz\n")
    assert probed.ask("/healthz?verbose=1") == (200, "ok\n")


def test_many_visitors_are_answered_while_one_dawdles(probed: Probed) -> None:
    with socket.create_connection((probed.host, probed.port)) as dawdler:
        dawdler.sendall(b"GET /metrics HTT")
        for _ in range(20):
            assert probed.ask("/healthz")[0] == 200


def test_a_visitor_that_says_nothing_is_left_and_is_no_error(
    probed: Probed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(probes._Quiet, "timeout", 0.05)
    with socket.create_connection((probed.host, probed.port), timeout=60) as silent:
        assert silent.recv(1) == b""
    assert capsys.readouterr().err == ""
    assert caplog.records == []


def test_more_visitors_than_there_is_room_for_are_left_until_one_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "MOST_VISITORS", 1)
    probed = Probed()
    probed.port = probed.server.start(probed.host, 0)
    here = (probed.host, probed.port)
    with socket.create_connection(here, timeout=60), socket.create_connection(here, timeout=60) as second:
        assert second.recv(1) == b""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError, http.client.HTTPException):
            assert probed.ask("/healthz") == (200, "ok\n")
            break
    else:
        pytest.fail("there was never room again")
    probed.server.stop()


def test_a_visitor_for_whom_no_thread_can_be_started_keeps_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(probes, "MOST_VISITORS", 1)
    probed = Probed()
    probed.port = probed.server.start(probed.host, 0)
    with monkeypatch.context() as scarce:
        scarce.setattr(socketserver.ThreadingMixIn, "process_request", none_left)
        with socket.create_connection((probed.host, probed.port), timeout=60) as visitor:
            assert visitor.recv(1) == b""
    assert probed.ask("/healthz") == (200, "ok\n")
    probed.server.stop()


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_it_listens_on_ipv6_too() -> None:
    probed = Probed()
    probed.host = "::1"
    probed.port = probed.server.start("::1", 0)
    assert probed.ask("/healthz") == (200, "ok\n")
    probed.server.stop()


def test_a_port_that_is_taken_is_an_error_at_once(probed: Probed) -> None:
    second = Probed()
    with pytest.raises(OSError, match="Address already in use"):
        second.server.start(probed.host, probed.port)
    second.server.stop()


def test_stopping_is_quick_and_leaves_no_thread_and_no_port() -> None:
    before = set(threading.enumerate())
    for _ in range(20):
        probed = Probed()
        probed.port = probed.server.start(probed.host, 0)
        began = time.monotonic()
        probed.server.stop()
        assert time.monotonic() - began < 30
        with pytest.raises(ConnectionRefusedError):
            probed.ask("/healthz")
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
    assert set(threading.enumerate()) <= before
