"""Addresses in the settings: where we listen, and the URL of a database. Pure; nothing is looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping

LAST_PORT = 65535
DATABASE_URL = "a URL such as postgresql://user:password@host:5432/name"


def listen_address(text: str) -> str:
    """`127.0.0.1:9464`, `[::1]:0` or `off`, as it is. Raises `ValueError` with the remedy."""
    _, colon, port = text.rpartition(":")
    if text != "off" and not (colon and _is_port(port)):
        raise ValueError(f'write HOST:PORT with a port up to {LAST_PORT}, such as 127.0.0.1:9464, or "off"')
    return text


def parse_listen(text: str) -> tuple[str, int]:
    """`127.0.0.1:9464`, `[::1]:9464` → host and port. Raises `ValueError` with the remedy."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r}: write HOST:PORT, such as 127.0.0.1:9464")
    return host.strip("[]") or "127.0.0.1", int(port)


def clashes(listens: Mapping[str, str]) -> list[str]:
    """`listens`: key → where it listens, an address or nothing. A sentence for each that another has taken."""
    taken: dict[tuple[str, int], str] = {}
    found = []
    for key, text in listens.items():
        if text in ("", "off") or (address := parse_listen(text))[1] == 0:
            continue
        if (first := taken.setdefault(address, key)) != key:
            found.append(f"{key} = {text!r} is {first}, too: choose another port")
    return found


def database_url(text: str) -> str:
    """A URL of PostgreSQL, or `embedded`. Raises `ValueError`, which does not repeat it: it may hold a password."""
    if text != "embedded" and not is_url(text):
        raise ValueError(f'write "embedded" or {DATABASE_URL}')
    return text


def direct_url(text: str) -> str:
    """A URL of PostgreSQL, or nothing. Raises `ValueError`, as `database_url`."""
    if text and not is_url(text):
        raise ValueError(f"write {DATABASE_URL}, or leave it out")
    return text


def is_url(text: str) -> bool:
    """Whether it is a URL of PostgreSQL whose hosts (there may be several) have ports that exist."""
    scheme, _, rest = text.partition("://")
    hosts = re.split(r"[/?]", rest, maxsplit=1)[0].rpartition("@")[2].split(",")
    ports = [host.rpartition("]")[2].partition(":")[2] for host in hosts]
    return scheme in ("postgresql", "postgres") and all(port == "" or _is_port(port) for port in ports)


def _is_port(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,5}", text) is not None and int(text) <= LAST_PORT
