"""A chat webhook: one secret URL, one target. What Slack and Discord have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from daemon.channels.channel import Delivery, Verdict
from daemon.channels.web import Answer, NoAnswer, Web, bounded

TIMEOUT = timedelta(seconds=10)
GONE = frozenset({401, 403, 404, 410})
REFUSED_FOR_NOW = frozenset({408, 425})
PAUSE = timedelta(seconds=10)  # after a 429 that does not say for how long


class Webhook:
    """Posts JSON to its URL, which no detail repeats."""

    def __init__(self, url: str, timeout: timedelta = TIMEOUT) -> None:
        self._url = url
        self._web = Web(timeout)

    async def post(self, payload: dict[str, Any]) -> Answer | Delivery:
        """An answer with 2xx, or what became of it otherwise. A line that comes twice does no harm, so RETRY."""
        try:
            answer = await self._web.request("POST", self._url, json=payload)
        except Exception as error:  # noqa: BLE001 - a delivery is promised; the text may hold the URL
            return Delivery(Verdict.RETRY, type(error).__name__)
        if isinstance(answer, NoAnswer):
            return Delivery(Verdict.DOWN if answer.nothing_sent else Verdict.RETRY, answer.detail)
        return answer if 200 <= answer.status < 300 else refused(answer)

    async def probe(self, *, gone: frozenset[int]) -> Delivery:
        """GET posts nothing. Any answer shows that the service is there; `gone` say that the target is not."""
        try:
            answer = await self._web.request("GET", self._url)
        except Exception as error:  # noqa: BLE001 - as above
            return Delivery(Verdict.DOWN, type(error).__name__)
        if isinstance(answer, Answer) and answer.status in gone:
            return Delivery(Verdict.DISABLED, answer.detail)
        if isinstance(answer, NoAnswer) or answer.status == 429 or answer.status >= 500:
            return Delivery(Verdict.DOWN, answer.detail)
        return Delivery(Verdict.SENT, "the service answers")

    async def aclose(self) -> None:
        await self._web.aclose()


def refused(answer: Answer) -> Delivery:
    """401, 403, 404, 410 and redirects: the target is not there any more. 429: everything later. 5xx: this one later.
    Other 4xx: never."""
    if answer.status in GONE or 300 <= answer.status < 400:
        return Delivery(Verdict.DISABLED, answer.detail)
    if answer.status == 429:
        return Delivery(Verdict.BUSY, answer.detail, retry_after=_wait(answer) or PAUSE)
    if answer.status in REFUSED_FOR_NOW or answer.status >= 500:
        return Delivery(Verdict.RETRY, answer.detail, retry_after=_wait(answer))
    return Delivery(Verdict.REJECTED, answer.detail)


def _wait(answer: Answer) -> timedelta | None:
    """Discord says it more exactly in the body than in the header."""
    said = answer.json.get("retry_after")
    exact = bounded(said) if isinstance(said, int | float) and not isinstance(said, bool) else None
    return exact or answer.retry_after
