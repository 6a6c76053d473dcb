"""One HTTP request to a service, whose every end is a value: an answer, or how it came to none."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from daemon.addresses import one_line

if TYPE_CHECKING:
    import httpx

LONGEST_DETAIL = 300
LONGEST_WAIT = timedelta(days=1)
SHORTEST_SECRET = 12  # a part of a path as long as that may be a key


@dataclass(frozen=True, slots=True)
class Answer:
    """`json` is the body as an object, empty when it is none."""

    status: int
    text: str
    json: Mapping[str, Any]
    retry_after: timedelta | None

    @property
    def detail(self) -> str:
        return one_line(f"{self.status} {self.text}")[:LONGEST_DETAIL]


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """`nothing_sent`: it did not come to a connection, so the other side cannot have acted upon it."""

    nothing_sent: bool
    detail: str


class Web:
    """A client made at the first request. No redirects: a message goes where the settings say, or nowhere."""

    def __init__(self, timeout: timedelta, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._timeout = timeout.total_seconds()
        self._now = now
        self._client: httpx.AsyncClient | None = None
        self._making = asyncio.Lock()

    async def request(self, method: str, url: str, **parts: Any) -> Answer | NoAnswer:
        """`parts` are httpx's: `json`, `data`, `auth`. No detail repeats the URL, which may be a secret."""
        import httpx

        try:
            client = await self._made()
        except OSError as error:
            return NoAnswer(nothing_sent=True, detail=_said(error))
        try:
            async with asyncio.timeout(2 * self._timeout):  # httpx's own limit starts anew with every octet
                response = await client.request(method, url, **parts)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            return NoAnswer(nothing_sent=True, detail=_said(error))
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            return NoAnswer(nothing_sent=False, detail=_said(error))
        return self._answer(response, url)

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _made(self) -> httpx.AsyncClient:
        """In a thread, because it reads the certificates."""
        import httpx

        async with self._making:
            if self._client is None:
                context = await asyncio.to_thread(httpx.create_ssl_context)
                self._client = httpx.AsyncClient(timeout=self._timeout, follow_redirects=False, verify=context)
        return self._client

    def _answer(self, response: httpx.Response, url: str) -> Answer:
        try:
            body = json.loads(response.content)
        except ValueError:
            body = None
        text = without_url(response.content[:4096].decode("utf-8", "replace"), url)
        wait = retry_after(response.headers.get("retry-after", ""), self._now())
        return Answer(response.status_code, text, body if isinstance(body, dict) else {}, wait)


def without_url(text: str, url: str) -> str:
    """The text without the URL, its path and the long parts of it: error pages like to repeat what was asked for."""
    asked = urlsplit(url)
    parts = [url, asked.query, *asked.path.split("/")]
    for secret in sorted((part for part in parts if len(part) >= SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(secret, "[…]")
    return text


def retry_after(header: str, now: datetime) -> timedelta | None:
    """`120`, `0.5` or an HTTP date → how long from now, at most a day. None for what cannot be read."""
    try:
        return bounded(float(header))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return bounded((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def bounded(seconds: float) -> timedelta | None:
    """Not negative, not longer than a day; None for what is no number."""
    if math.isnan(seconds):
        return None
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST_WAIT.total_seconds()))


def _said(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}".strip(": "))[:LONGEST_DETAIL]
