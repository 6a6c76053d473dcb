"""SMS through a service that speaks as Twilio does: a form to `/Messages.json`, an answer or error in JSON.

There is no idempotency key for this call. What may have been taken over is therefore UNKNOWN, never sent again by us.
"""

from __future__ import annotations

import re
import time
from datetime import timedelta

from daemon.addresses import telephone_number
from daemon.channel_settings import SmsSettings
from daemon.channels.channel import Delivery, Message, Verdict
from daemon.channels.segments import segments
from daemon.channels.shorten import shorten
from daemon.channels.web import Answer, NoAnswer, Web

LONGEST_BODY = 1600  # the service refuses longer ones (21617)
OPTED_OUT = 21610
PHONE_OFF = 30003
TOO_MUCH = frozenset({20429, 21611, 30001})  # too many requests, queue full, queue overflown: the same for all messages
PAUSE = timedelta(seconds=10)  # when the service has too much and does not say for how long
# About our account, our number or our settings: the same for every message.
OURS = frozenset({20003, 20005, 21212, 21603, 21606, 21660, 21701, 21703, 21704, 30002})
NOT_ACCEPTED = frozenset({401, 402, 403, 404, 405})
NOT_TAKEN = frozenset({408, 503})  # the request did not come whole, or was turned away at the door
BELIEVE_REFUSAL = 300.0


class SmsChannel:
    """One account of the service, at the rate the operator gives. UNKNOWN is the answer to any doubt."""

    name = "sms"
    concurrency = 5

    def __init__(self, settings: SmsSettings) -> None:
        self.per_second: float | None = settings.per_second
        self._account = f"{settings.base_url}/2010-04-01/Accounts/{settings.account_sid}"
        self._auth = (settings.account_sid, settings.token.get_secret_value())
        if settings.messaging_service_sid:
            self._origin = {"MessagingServiceSid": settings.messaging_service_sid}
        else:
            self._origin = {"From": settings.sender}
        self._web = Web(settings.timeout)
        self._refused_at, self._refusal = -BELIEVE_REFUSAL, Delivery(Verdict.DOWN)

    async def send(self, message: Message) -> Delivery:
        try:
            number = telephone_number(message.address)
        except ValueError as error:
            return Delivery(Verdict.REJECTED, str(error))
        body = shorten(message.text.strip(), LONGEST_BODY, "...")
        form = {"To": number, **self._origin, "Body": body}
        try:
            answer = await self._web.request("POST", f"{self._account}/Messages.json", data=form, auth=self._auth)
        except Exception as error:  # noqa: BLE001 - a delivery is promised; how far it came, nobody knows
            return Delivery(Verdict.UNKNOWN, f"{type(error).__name__}: {error}")
        if isinstance(answer, NoAnswer):
            if answer.nothing_sent:
                return Delivery(Verdict.DOWN, answer.detail)
            return Delivery(Verdict.UNKNOWN, answer.detail, policy="no answer")
        delivery = judged(answer, body)
        if delivery.verdict is Verdict.DOWN:
            self._refused_at, self._refusal = time.monotonic(), delivery
        return delivery

    async def probe(self) -> Delivery:
        """Ask for our own account. A service that has no such page is there all the same.

        No question tells whether our number or account is accepted now, so that a refusal is believed for a while.
        """
        if time.monotonic() - self._refused_at < BELIEVE_REFUSAL:
            return self._refusal
        try:
            answer = await self._web.request("GET", f"{self._account}.json", auth=self._auth)
        except Exception as error:  # noqa: BLE001 - a delivery is promised
            return Delivery(Verdict.DOWN, f"{type(error).__name__}: {error}")
        if isinstance(answer, NoAnswer) or answer.status in (401, 403, 429) or answer.status >= 500:
            return Delivery(Verdict.DOWN, answer.detail)
        return Delivery(Verdict.SENT, "the service answers")

    async def aclose(self) -> None:
        await self._web.aclose()


def judged(answer: Answer, body: str) -> Delivery:
    """What the service's answer means. The codes are its own, in the JSON of errors and of messages that failed."""
    code = _code(answer.json.get("code") or answer.json.get("error_code"))
    if 200 <= answer.status < 300 and not code:
        sent = segments(body)
        sid = answer.json.get("sid")
        plural = "" if sent.count == 1 else "s"
        return Delivery(Verdict.SENT, f"{sent.count} segment{plural} of {sent.encoding}", str(sid) if sid else None)
    if code == OPTED_OUT:
        return Delivery(Verdict.OPTED_OUT, answer.detail)
    if code in TOO_MUCH or answer.status == 429:
        return Delivery(Verdict.BUSY, answer.detail, retry_after=answer.retry_after or PAUSE)
    if code == PHONE_OFF:
        return Delivery(Verdict.RETRY, answer.detail)
    if code in OURS or answer.status in NOT_ACCEPTED or 300 <= answer.status < 400:
        return Delivery(Verdict.DOWN, answer.detail)
    if answer.status in NOT_TAKEN or (answer.status >= 500 and code):
        return Delivery(Verdict.RETRY, answer.detail, retry_after=answer.retry_after)
    if answer.status >= 500:  # a gateway, or a service that broke down half way: it may have taken the message
        return Delivery(Verdict.UNKNOWN, answer.detail, policy=f"{answer.status}")
    return Delivery(Verdict.REJECTED, answer.detail)


def _code(value: object) -> int:
    """0 is no error: null, absent, or something that is no number."""
    return int(str(value)) if re.fullmatch(r"[0-9]{1,9}", str(value)) else 0
