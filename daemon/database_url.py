"""URLs of PostgreSQL taken apart: another database of the same server, and without what nobody may read."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit


def on_database(url: str, name: str) -> str:
    """The same server and login, another database."""
    parts = urlsplit(url)
    query = "&".join(p for p in parts.query.split("&") if not p.startswith("dbname="))
    return f"{parts.scheme}://{parts.netloc}/{quote(name, safe='')}" + (f"?{query}" if query else "")


def without_password(url: str) -> tuple[str, str | None]:
    """The URL as anyone may read it, and its password, which stands before the host or among the parameters."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    name, colon, password = login.partition(":")
    parameters = parts.query.split("&")
    public = [parameter for parameter in parameters if not parameter.startswith("password=")]
    given = [parameter.partition("=")[2] for parameter in parameters if parameter not in public]
    clean = f"{parts.scheme}://{name}{at}{host}{parts.path}" + (f"?{'&'.join(public)}" if parts.query else "")
    return clean, unquote((given or [password])[-1]) if given or colon else None


def database_of(url: str) -> str | None:
    """The name of its database, if it says one."""
    parts = urlsplit(url)
    named = [p.partition("=")[2] for p in parts.query.split("&") if p.startswith("dbname=")]
    return unquote(named[-1] if named else parts.path.lstrip("/")) or None
