"""A real HTTP server on loopback that answers what a test wants, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

DROP = "drop"  # the request is read, then the connection is cut
HANG = "hang"  # the request is read, and nothing is said until the end


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class HttpService:
    """`replies` come one after another; when there are no more, `usual` does."""

    usual: Reply
    port: int = 0
    replies: deque[Reply | str] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reply(self, status: int, body: object = "", **headers: str) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.replies.append(Reply(status, text, {k.replace("_", "-"): v for k, v in headers.items()}))


def _handler(service: HttpService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.asked.append(Asked(self.command, self.path, headers, body))
            reply = service.replies.popleft() if service.replies else service.usual
            if isinstance(reply, str):
                if reply == HANG:
                    service.over.wait()
                self.close_connection = True
                return
            data = reply.body.encode()
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _serve  # noqa: N815 - the base class's names for them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
            """Tests look at `asked`."""

    return Handler


@contextmanager
def http_service(status: int = 200, body: object = "") -> Iterator[HttpService]:
    """A service that usually answers this."""
    text = body if isinstance(body, str) else json.dumps(body)
    service = HttpService(Reply(status, text))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
    service.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
