"""Asking Razorpay: what became of a payment, and to capture one. Basic auth, JSON, integer amounts."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx

from workers.jewellery import razorpay_shapes
from workers.jewellery.payment_rules import Seen
from workers.jewellery.razorpay_shapes import Unreadable
from workers.jewellery.settings import RazorpaySettings

LARGEST_ANSWER = 2_000_000
UNKNOWN_ID = "does not exist"


class ProviderAway(Exception):
    """No answer that can be believed: silence, a lost connection, a 5xx, a page instead of JSON. Another time."""


class ProviderRefuses(Exception):
    """It answered that our request is wrong, and will be next time: a person has to look."""


class NotHeardOf(ProviderRefuses):
    """There is no such order or payment over there."""


class NotLetIn(ProviderRefuses):
    """401 or 403: it is the key, so every other request would be refused too."""


class TooManyRequests(Exception):
    """429. `retry_after`: seconds that were asked for, None when none were."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__("Razorpay answered 429: too many requests")
        self.retry_after = retry_after


class Razorpay:
    """`pace` is awaited before every request. `async with` closes the connections.

    A connection is a client of its own, and as many are opened as are busy at once: a pool of httpcore looks at each of
    its connections at each request, which at twenty costs as much as all the rest of a request.
    """

    def __init__(self, settings: RazorpaySettings, pace: Callable[[], Awaitable[None]]) -> None:
        self._settings, self._timeout_s, self._pace = settings, settings.timeout_s, pace
        self._clients: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []
        self._trusted: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[httpx.AsyncClient]:
        """The one that was used last, ours alone for the block."""
        client = self._idle.pop() if self._idle else self._opened()
        try:
            yield client
        finally:
            self._idle.append(client)

    def _opened(self) -> httpx.AsyncClient:
        """The certificates are read when they are needed: that takes longer than many a pass that asks nothing."""
        settings = self._settings
        self._trusted = self._trusted or httpx.create_ssl_context(trust_env=False)
        client = httpx.AsyncClient(
            base_url=settings.base_url.rstrip("/") + "/",
            auth=httpx.BasicAuth(settings.key_id, settings.key_secret.get_secret_value()),
            headers={"Accept": "application/json"},
            timeout=httpx.Timeout(settings.timeout_s),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            verify=self._trusted,
            follow_redirects=False,
            trust_env=False,
        )
        self._clients.append(client)
        return client

    async def attempts(self, order: str) -> list[Seen]:
        """All attempts at paying an order; empty when it has not heard of it. Raises as the classes above say."""
        try:
            return razorpay_shapes.attempts(await self._asked("GET", f"orders/{order}/payments"), order)
        except NotHeardOf:
            return []
        except Unreadable as error:
            raise ProviderAway(f"Razorpay's answer cannot be believed: {error}") from error

    async def payment(self, attempt: str) -> Seen:
        return self._of(attempt, await self._asked("GET", f"payments/{attempt}"))

    async def capture(self, seen: Seen) -> Seen:
        """Take what was authorised, all of it. Captured already is as good: that is read before it is believed."""
        body = {"amount": seen.minor, "currency": seen.currency}
        try:
            return self._of(seen.attempt, await self._asked("POST", f"payments/{seen.attempt}/capture", body))
        except (NotHeardOf, NotLetIn):
            raise
        except ProviderRefuses:
            return await self.payment(seen.attempt)

    def _of(self, attempt: str, answer: object) -> Seen:
        try:
            seen = razorpay_shapes.payment(answer)
        except Unreadable as error:
            raise ProviderAway(f"Razorpay's answer cannot be believed: {error}") from error
        if seen.attempt != attempt:
            raise ProviderAway(f"Razorpay was asked about {attempt} and told of {seen.attempt}")
        return seen

    async def _asked(self, method: str, path: str, body: dict[str, Any] | None = None) -> object:
        """The whole exchange, however slowly it trickles, ends within the timeout."""
        await self._pace()
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._connection() as client,
                client.stream(method, path, json=body) as response,
            ):
                return answered(response, await _read(response))
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ProviderAway(f"Razorpay did not answer within {self._timeout_s:g} s") from error
        except httpx.HTTPError as error:
            raise ProviderAway(f"Razorpay: {type(error).__name__}: {error}") from error


async def _read(response: httpx.Response) -> bytes:
    octets = b""
    async for part in response.aiter_bytes():
        octets += part
        if len(octets) > LARGEST_ANSWER:
            raise ProviderAway(f"Razorpay's answer is longer than {LARGEST_ANSWER} octets")
    return octets


def answered(response: httpx.Response, octets: bytes) -> object:
    """The JSON of a 200. Raises what any other answer means."""
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise TooManyRequests(seconds_asked(response.headers.get("retry-after"), response.headers.get("date")))
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status < httpx.codes.OK or response.is_redirect:
        raise ProviderAway(f"Razorpay answered {status}")
    if kind != "application/json":  # a proxy's page, whatever its status says
        raise ProviderAway(f"Razorpay answered {status} with {kind or 'no content type'}, not JSON")
    try:
        value = razorpay_shapes.decoded(octets)
    except Unreadable as error:
        raise ProviderAway(f"Razorpay's answer is {error}") from error
    if status == httpx.codes.OK:
        return value
    said = description(value)
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise NotLetIn(f"Razorpay answered {status}: {said}; look at razorpay.key_id and key_secret")
    if status == httpx.codes.NOT_FOUND or UNKNOWN_ID in said:
        raise NotHeardOf(f"Razorpay answered {status}: {said}")
    raise ProviderRefuses(f"Razorpay answered {status}: {said}")


def description(value: Any) -> str:
    """Of the error envelope: `BAD_REQUEST_ERROR: …`."""
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return "no reason"
    return f"{error.get('code')}: {error.get('description')}"[:200]


def seconds_asked(retry_after: str | None, date: str | None) -> float | None:
    """Of `Retry-After`: seconds, or an HTTP date, which is held against the answer's own date and not our clock."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
        since = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return max((until - since).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
