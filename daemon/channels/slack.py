"""Slack, through an incoming webhook."""

from __future__ import annotations

from typing import Any

from daemon.channel_settings import SlackSettings
from daemon.channels.channel import Delivery, Message, Verdict
from daemon.channels.shorten import shorten, units
from daemon.channels.webhook import Webhook

LONGEST_HEADER, LONGEST_SECTION = 150, 3000
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}  # after which no text is a mention, a channel or a link
TARGET_IS_GONE = frozenset({410})  # other answers to GET say nothing: the URL is made for POST


class SlackChannel:
    """The webhook's own channel is the target; a message's address is not looked at."""

    name = "slack"
    concurrency = 1
    per_second: float | None = 1.0

    def __init__(self, settings: SlackSettings) -> None:
        self._webhook = Webhook(settings.webhook_url.get_secret_value())

    async def send(self, message: Message) -> Delivery:
        content = payload(message)
        if not content["blocks"]:
            return Delivery(Verdict.REJECTED, "the message is empty")
        answer = await self._webhook.post(content)
        if isinstance(answer, Delivery):
            return answer
        if answer.text.strip() != "ok":
            return Delivery(Verdict.RETRY, f'instead of "ok": {answer.detail}')
        return Delivery(Verdict.SENT, "ok")

    async def probe(self) -> Delivery:
        return await self._webhook.probe(gone=TARGET_IS_GONE)

    async def aclose(self) -> None:
        await self._webhook.aclose()


def payload(message: Message) -> dict[str, Any]:
    """The subject as a header, the text below; `text` is what notifications show."""
    subject, text = message.subject.strip(), message.text.strip()
    blocks: list[dict[str, Any]] = []
    if subject:
        header = shorten(subject, LONGEST_HEADER)
        blocks.append({"type": "header", "text": {"type": "plain_text", "text": header, "emoji": False}})
    if text:
        section = escaped(shorten(text, LONGEST_SECTION, width=_width))
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": section, "verbatim": True}})
    return {
        "text": escaped(shorten(subject or text, LONGEST_SECTION, width=_width)),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def escaped(text: str) -> str:
    return "".join(ESCAPES.get(c, c) for c in text)


def _width(character: str) -> int:
    return len(ESCAPES[character]) if character in ESCAPES else units(character)
