"""Ports for processes that a test starts: known before they are bound."""

from __future__ import annotations

import itertools
import os
import random
import socket

LOWEST, EACH = 10_000, 2_000
"""Below those that Linux gives to connections (from 32,768), so that none is taken by one before it is bound; each of
ten test processes has as many of its own."""

_numbers = itertools.count(random.SystemRandom().randrange(EACH))


def free_port() -> int:
    """Of 127.0.0.1; the same again only after all others."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
    for _ in range(EACH):
        port = LOWEST + EACH * process + next(_numbers) % EACH
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"every port from {LOWEST} on is taken")
