"""`/metrics`, `/healthz`, `/readyz` on a port of their own, from a thread: they answer while the loop does not."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

StartResponse = Callable[..., Any]
LOG = logging.getLogger("sexton.metrics")
MOST_VISITORS = 100


class _Quiet(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        """A scrape every few seconds is not news."""


class _Server(ThreadingWSGIServer):
    """Takes MOST_VISITORS at once: each has a thread and a descriptor, and the work needs some, too."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._room = threading.Semaphore(MOST_VISITORS)
        super().__init__(*args, **options)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._room.release()  # no thread could be started, so none will
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever says nothing or hangs up is no news; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            LOG.exception("a probe could not be answered", extra={"area": "METRICS"})


class _IPv6(_Server):
    address_family = socket.AF_INET6


class ProbeServer:
    """`unwell` and `unready` give the reasons, an empty list meaning yes; `refresh` brings gauges up to date."""

    def __init__(
        self, registry: CollectorRegistry, unwell: Callable[[], list[str]], unready: Callable[[], list[str]],
        refresh: Callable[[], None],
    ) -> None:  # fmt: skip
        self._metrics = make_wsgi_app(registry)
        self._unwell, self._unready, self._refresh = unwell, unready, refresh
        self._server: Any = None

    def start(self, host: str, port: int) -> int:
        """Serve in a daemon thread; returns the port, which matters for port 0. Raises `OSError` if it is taken."""
        kind = _IPv6 if ":" in host else _Server
        self._server = make_server(host, port, self._answer, kind, handler_class=_Quiet)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="probes", daemon=True, args=(60.0,)).start()
        return int(self._server.server_port)

    def stop(self) -> None:
        if self._server is None:
            return
        stopper = threading.Thread(target=self._server.shutdown, daemon=True)
        stopper.start()
        for _ in range(20):  # it sleeps in select() for long, so that idling costs nothing: a visitor wakes it
            with suppress(OSError):
                socket.create_connection(self._server.server_address[:2], timeout=1).close()
            stopper.join(0.1)  # a visitor who came before the stop was asked for has woken it for nothing
            if not stopper.is_alive():
                break
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            self._refresh()
            body: Iterable[bytes] = self._metrics(environ, start_response)
            return body
        if path in ("/healthz", "/readyz"):
            reasons = self._unwell() if path == "/healthz" else self._unready()
            status = "503 Service Unavailable" if reasons else "200 OK"
            return _text(start_response, status, "\n".join(reasons) or "ok")
        if path == "/":
            return _text(start_response, "200 OK", "/metrics\n/healthz\n/readyz")
        return _text(start_response, "404 Not Found", "try /metrics, /healthz or /readyz")


def _text(start_response: StartResponse, status: str, body: str) -> list[bytes]:
    data = (body + "\n").encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(data)))]
    start_response(status, headers)
    return [data]
