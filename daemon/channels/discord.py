"""Discord, through a webhook."""

from __future__ import annotations

import re
from typing import Any

from daemon.channel_settings import DiscordSettings
from daemon.channels.channel import Delivery, Message, Verdict
from daemon.channels.shorten import shorten
from daemon.channels.webhook import GONE, Webhook

LONGEST_CONTENT = 2000
MENTION = re.compile(r"@(?=everyone|here)|<(?=[@#&])")
NO_WIDTH = "\u200b"


class DiscordChannel:
    """The webhook's own channel is the target; a message's address is not looked at."""

    name = "discord"
    concurrency = 1
    per_second: float | None = 0.5  # a webhook may post 30 times a minute

    def __init__(self, settings: DiscordSettings) -> None:
        url = settings.webhook_url.get_secret_value()
        # wait: the answer is the message, and not 204 before it is posted
        self._webhook = Webhook(f"{url}{'&' if '?' in url else '?'}wait=true")

    async def send(self, message: Message) -> Delivery:
        content = payload(message)
        if not content["content"]:
            return Delivery(Verdict.REJECTED, "the message is empty")
        answer = await self._webhook.post(content)
        if isinstance(answer, Delivery):
            return answer
        posted = answer.json.get("id")
        return Delivery(Verdict.SENT, "posted", str(posted) if posted else None)

    async def probe(self) -> Delivery:
        return await self._webhook.probe(gone=GONE)

    async def aclose(self) -> None:
        await self._webhook.aclose()


def payload(message: Message) -> dict[str, Any]:
    """`allowed_mentions` keeps everybody from being called; the escapes keep it from looking as if they were."""
    subject, text = message.subject.strip(), message.text.strip()
    content = f"**{subject}**\n{text}" if subject else text
    content = MENTION.sub(lambda found: found[0] + NO_WIDTH, content).strip()
    return {"content": shorten(content, LONGEST_CONTENT), "allowed_mentions": {"parse": []}}
