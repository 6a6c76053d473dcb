"""The parent's end of a child's socket: frames sent and received without ever blocking the event loop.

Frames are described in `daemon.pool_worker`. Reading and writing are independent, so that several megabytes
may be on their way in both directions.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from daemon.pool_worker import CHUNK, HEADER


class Channel:
    """`deliver` is called with each whole frame, without its header, once `open` was called."""

    def __init__(self, loop: asyncio.AbstractEventLoop, deliver: Callable[[memoryview], None]) -> None:
        self.unread = False
        """The child ended with bytes unread, so that it never began what was sent last."""
        self._loop = loop
        self._deliver = deliver
        self._body: memoryview | None = None  # of a frame that has arrived in part
        self._filled = 0
        self._outbox: memoryview | None = None  # what could not be sent at once
        self._socket, self.theirs = socket.socketpair()
        self._socket.setblocking(False)
        self._fd = self._socket.fileno()

    def open(self) -> None:
        """Begin to read."""
        self._loop.add_reader(self._fd, self._on_readable)

    def send(self, payload: bytes) -> None:
        """Write a frame; what the socket does not take now follows when the child has read the beginning."""
        header = HEADER.pack(len(payload))
        try:
            sent = self._socket.sendmsg((header, payload))
        except (BrokenPipeError, ConnectionResetError):  # it is dead, which its pidfd reports
            self.unread = True
            return
        if sent < len(header) + len(payload):
            self._outbox = memoryview(payload)[sent - len(header) :]
            self._loop.add_writer(self._fd, self._on_writable)

    def end(self) -> None:
        """Tell the child that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def drain(self) -> None:
        """Deliver what a dead child has left."""
        self._socket.shutdown(socket.SHUT_RD)  # its end is the end, also where a fork of it holds the socket
        while self._receive():
            pass
        self.unread = self.unread or self._outbox is not None

    def close(self) -> None:
        """Close both ends, at any time and more than once."""
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._socket.close()
        self.theirs.close()

    def _on_writable(self) -> None:
        assert self._outbox is not None
        try:
            sent = self._socket.send(self._outbox)
        except BlockingIOError:
            return
        except (BrokenPipeError, ConnectionResetError):  # as in send
            self.unread = True
            sent = len(self._outbox)
        self._outbox = self._outbox[sent:]
        if not self._outbox:
            self._outbox = None
            self._loop.remove_writer(self._fd)

    def _on_readable(self) -> None:
        if not self._receive():
            self._loop.remove_reader(self._fd)

    def _receive(self) -> bool:
        """Read once; False when there is nothing and never will be again."""
        try:
            if self._body is None:
                return self._receive_head()
            count = self._socket.recv_into(self._body[self._filled :])
        except BlockingIOError:
            return True
        except ConnectionResetError:  # how a Unix socket says that its peer closed it with bytes unread
            self.unread = True
            return False
        self._filled += count
        if self._filled == len(self._body):
            frame, self._body = self._body, None
            self._deliver(frame)
        return count > 0

    def _receive_head(self) -> bool:
        """The header always arrives whole: it is the start of one write into a socket that is empty."""
        data = self._socket.recv(CHUNK)
        if not data:
            return False
        (size,) = HEADER.unpack_from(data)
        content = memoryview(data)[HEADER.size :]
        if len(content) == size:
            self._deliver(content)
        else:
            self._body = memoryview(bytearray(size))
            self._filled = len(content)
            self._body[: self._filled] = content
        return True
