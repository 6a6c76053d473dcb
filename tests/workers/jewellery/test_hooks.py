"""Razorpay's webhook: what is signed is kept, once for each event; anything else leaves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import suite_hooks
from daemon.database import Link, Outage
from daemon.events import Event, HookAnswered
from daemon.hook_desk import HookDesk
from daemon.public import PublicServer
from tests.workers.jewellery.provider import entity, event, signature
from tests.workers.jewellery.shop import Shop
from workers.jewellery.hooks import LONGEST, signed_with
from workers.jewellery.settings import Settings

PATH = "/hooks/jewellery/razorpay"
NEW, OLD = "the new secret", "the old secret"
BODY = event("payment.captured", entity("pay_1", "order_p1"))


class Webhook:
    def __init__(self, client: httpx.AsyncClient, events: list[Event]) -> None:
        self.client, self.events = client, events

    async def post(self, body: bytes = BODY, *, secret: str = NEW, id_: str | None = "evt_1", **more: Any) -> int:
        headers = {"X-Razorpay-Signature": signature(secret, body), **more}
        if id_ is not None:
            headers["x-razorpay-event-id"] = id_
        return (await self.client.post(PATH, content=body, headers=headers)).status_code

    @property
    def counted(self) -> list[int]:
        return [event.status for event in self.events if isinstance(event, HookAnswered)]


@pytest.fixture
async def webhook(url: str) -> AsyncIterator[Webhook]:
    events: list[Event] = []
    link = Link(lambda: url, lambda: "test", Outage(events.append))
    settings = Settings(razorpay={"webhook_secrets": (NEW, OLD)})  # type: ignore[arg-type]
    desk = HookDesk(
        suite_hooks.read({"jewellery": "workers.jewellery"}, []), {"jewellery": settings}, link, events.append
    )
    server = PublicServer("x" * 32, lambda _: asyncio.sleep(0), events.append, desk)
    port = await server.start("127.0.0.1", 0)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield Webhook(client, events)
    finally:
        await server.stop()
        await link.close()


async def test_an_event_is_kept_as_it_came_and_waits_in_the_queue(shop: Shop, webhook: Webhook) -> None:
    assert await webhook.post() == 200
    assert await shop.rows("SELECT event_id, type, body, secret_no FROM jewellery.webhook_event") == [
        ("evt_1", "payment.captured", BODY, 0)
    ]
    assert await shop.rows("SELECT state FROM jewellery.webhook_queue") == [("READY",)]


async def test_a_replay_is_answered_well_and_kept_once_also_among_many_at_once(shop: Shop, webhook: Webhook) -> None:
    statuses = await asyncio.gather(*(webhook.post(id_=f"evt_{n % 5}") for n in range(40)))
    assert set(statuses) == {200}
    assert (await shop.count("webhook_event"), await shop.count("webhook_queue")) == (5, 5)


async def test_while_a_secret_is_changed_both_are_good(shop: Shop, webhook: Webhook) -> None:
    assert await webhook.post(secret=OLD) == 200
    assert await shop.rows("SELECT secret_no FROM jewellery.webhook_event") == [(1,)]


async def test_what_is_not_signed_by_the_provider_is_refused_counted_and_not_kept(shop: Shop, webhook: Webhook) -> None:
    answers = [
        await webhook.post(secret="somebody's"),
        await webhook.post(BODY, **{"X-Razorpay-Signature": signature(NEW, BODY + b" ")}),
        await webhook.post(BODY, **{"X-Razorpay-Signature": ""}),
        await webhook.post(id_=None),
        await webhook.post(id_="x" * 201),
        await webhook.post(b"x" * (LONGEST + 1)),
        await webhook.post(b"x" * LONGEST, id_="evt_long"),
    ]  # fmt: skip
    assert answers == [401, 401, 400, 400, 400, 413, 200]
    assert webhook.counted == answers
    assert await shop.rows("SELECT event_id, type FROM jewellery.webhook_event") == [("evt_long", "")]


@given(st.binary(max_size=50), st.text(max_size=70), st.lists(st.text(min_size=1, max_size=10), max_size=3))
def test_only_the_signature_of_one_of_the_secrets_is_good(body: bytes, forged: str, secrets: list[str]) -> None:
    good = {signature(secret, body) for secret in secrets}
    for number, secret in enumerate(secrets):
        assert signed_with(body, signature(secret, body), secrets) == secrets.index(secret) <= number
    if forged.strip().lower() not in good:
        assert signed_with(body, forged, secrets) is None
