"""Where the database is: our own PostgreSQL, or the one a URL names."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from daemon.engine import Urls
from daemon.settings import Settings

EMBEDDED = "embedded"


def external(settings: Settings) -> Urls | None:
    """The URLs of a database that is not ours, or None."""
    url = settings.database.url
    if url == EMBEDDED:
        return None
    return Urls(url, settings.database.direct_url or url)


def place(url: str) -> str:
    """Host, port and database of a URL, for people: without its user and password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", ["the local socket"]))
    return host + parts.path
