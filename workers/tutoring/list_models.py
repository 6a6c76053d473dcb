"""Whether an AI provider is there: the cheapest call each of them has, and what its answer means."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

LARGEST = 4 * 1024 * 1024
"""Octets that a list of models is read of; a longer one is no list of models."""
UNAUTHORIZED, FORBIDDEN, TOO_MANY, SUCCESS = 401, 403, 429, 200


@dataclass(frozen=True, slots=True)
class Checked:
    """`verdict`: up, limited, misconfigured or down. `error`: why it is not up, for people."""

    verdict: str
    http_status: int | None
    latency_ms: int
    error: str | None = None

    @property
    def ok(self) -> bool:
        return self.verdict in ("up", "limited")


def key_headers(kind: str, key: str) -> Mapping[str, str]:
    """How a provider of this `kind` is told who asks."""
    if kind == "anthropic":
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}
    return {"x-goog-api-key": key} if kind == "gemini" else {"authorization": f"Bearer {key}"}


async def check(client: httpx.AsyncClient, kind: str, base_url: str, key: str, timeout: timedelta) -> Checked:
    """Ask for the list of models, within `timeout` in all. Whatever becomes of it is a verdict, never an error."""
    import httpx  # where jobs are only listed it is not loaded

    began = time.monotonic()
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            async with client.stream(
                "GET", f"{base_url}/models", headers={"accept": "application/json", **key_headers(kind, key)}
            ) as answer:
                verdict, error = judged(answer.status_code, await _beginning(answer))
        return Checked(verdict, answer.status_code, _ms_since(began), error)
    except TimeoutError:
        return Checked("down", None, _ms_since(began), f"no answer within {timeout.total_seconds():g} s")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # its words may quote what was sent: left out
        return Checked("down", None, _ms_since(began), f"it cannot be reached ({type(error).__name__})")


async def _beginning(answer: httpx.Response) -> bytes:
    read = bytearray()
    async for chunk in answer.aiter_bytes():
        read += chunk
        if len(read) > LARGEST:
            break
    return bytes(read)


def _ms_since(began: float) -> int:
    return round(1000 * (time.monotonic() - began))


def judged(status: int, body: bytes) -> tuple[str, str | None]:
    """Verdict, and why it is not `up`. A page of HTML with 200 is somebody else's, such as a proxy's."""
    if status in (UNAUTHORIZED, FORBIDDEN):
        return "misconfigured", f"HTTP {status}: the key is wrong, or may not do this"
    if status == TOO_MANY:
        return "limited", f"HTTP {status}: it is there and refuses more calls for now"
    if status != SUCCESS:
        return "down", f"HTTP {status}"
    return ("up", None) if lists_models(body) else ("down", "HTTP 200 with something that is no list of models")


def lists_models(body: bytes) -> bool:
    """All six answer with an object that has the list under `data` or `models`."""
    if len(body) > LARGEST:
        return False
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and isinstance(said.get("data", said.get("models")), list)
