"""The admin's port, taken before anything that is slow to import: whoever connects meanwhile waits a moment."""

from __future__ import annotations

import socket

from daemon.setting_addresses import parse_listen


def bound(listen: str, port: int | None = None) -> socket.socket:
    """A listening socket; `port` is had again where `listen` leaves it open. Raises `OSError` if it is taken."""
    host, wanted = parse_listen(listen)
    family, kind, protocol, _, address = socket.getaddrinfo(host, port or wanted, type=socket.SOCK_STREAM)[0]
    taken = socket.socket(family, kind, protocol)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen()
    except OSError:
        taken.close()
        raise
    taken.setblocking(False)
    return taken
