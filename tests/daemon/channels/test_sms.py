"""SMS against a real HTTP server that answers as the service does."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.channel_settings import SmsSettings
from daemon.channels import sms
from daemon.channels.channel import Message, Verdict
from daemon.channels.sms import SmsChannel, judged
from daemon.channels.web import Answer
from tests.daemon.channels.http_service import DROP, HANG, http_service

QUEUED = {"sid": "SM123", "status": "queued", "error_code": None}


def a_message(text: str = "Your code is 1234.", address: str = "+41791234567") -> Message:
    return Message(1, "key", "security", address, "", text)


@asynccontextmanager
async def sms_to(url: str, **settings: Any) -> AsyncIterator[SmsChannel]:
    given = {"base_url": url, "account_sid": "AC1", "token": "secret-token", "sender": "+12025550123"}
    channel = SmsChannel(SmsSettings.model_validate({**given, **settings}))
    try:
        yield channel
    finally:
        await channel.aclose()


def error(code: int, status: int = 400) -> dict[str, object]:
    return {"code": code, "message": "what is wrong", "more_info": "https://errors.example", "status": status}


async def test_a_message_is_a_form_with_our_number_and_theirs() -> None:
    with http_service(201, QUEUED) as service:
        async with sms_to(service.url) as channel:
            delivery = await channel.send(a_message("Grüezi & welcome"))
        (asked,) = service.asked
    assert (delivery.verdict, delivery.provider_id) == (Verdict.SENT, "SM123")
    assert delivery.detail == "1 segment of GSM-7"
    assert (asked.method, asked.path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert asked.form == {"To": "+41791234567", "From": "+12025550123", "Body": "Grüezi & welcome"}
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"AC1:secret-token").decode()


async def test_a_messaging_service_may_stand_for_our_number() -> None:
    with http_service(201, QUEUED) as service:
        async with sms_to(service.url, sender="", messaging_service_sid="MG1") as channel:
            await channel.send(a_message())
        assert service.asked[0].form == {
            "To": "+41791234567",
            "MessagingServiceSid": "MG1",
            "Body": "Your code is 1234.",
        }


async def test_a_number_that_is_none_is_not_asked_for() -> None:
    with http_service(201, QUEUED) as service:
        async with sms_to(service.url) as channel:
            delivery = await channel.send(a_message(address="079 123 45 67"))
        assert (delivery.verdict, service.asked) == (Verdict.REJECTED, [])
    assert "E.164" in delivery.detail


async def test_a_text_too_long_is_cut_and_not_refused() -> None:
    with http_service(201, QUEUED) as service:
        async with sms_to(service.url) as channel:
            await channel.send(a_message("x" * 5000))
        assert service.asked[0].form["Body"] == "x" * 1597 + "..."


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, error(21211), Verdict.REJECTED), (400, error(21614), Verdict.REJECTED),
        (400, error(21610), Verdict.OPTED_OUT), (400, error(21611), Verdict.BUSY),
        (429, error(20429, 429), Verdict.BUSY), (429, "slow down", Verdict.BUSY), (400, error(30003), Verdict.RETRY),
        (500, error(20500, 500), Verdict.RETRY), (503, "", Verdict.RETRY), (408, "", Verdict.RETRY),
        (500, "oops", Verdict.UNKNOWN), (520, "", Verdict.UNKNOWN), (524, "timed out behind us", Verdict.UNKNOWN),
        (502, "bad gateway", Verdict.UNKNOWN), (504, "gateway timeout", Verdict.UNKNOWN),
        (401, error(20003, 401), Verdict.DOWN), (404, error(20404, 404), Verdict.DOWN), (302, "", Verdict.DOWN),
        (400, error(21606), Verdict.DOWN), (403, "", Verdict.DOWN), (400, "not json", Verdict.REJECTED),
        (201, {**QUEUED, "status": "failed", "error_code": 21610}, Verdict.OPTED_OUT),
        (201, {**QUEUED, "error_code": "30003"}, Verdict.RETRY), (200, "[]", Verdict.SENT),
    ],
)  # fmt: skip
async def test_the_code_decides_then_the_status(status: int, body: object, verdict: Verdict) -> None:
    with http_service(status, body) as service:
        async with sms_to(service.url) as channel:
            assert (await channel.send(a_message())).verdict is verdict
        assert len(service.asked) == 1


async def test_the_wait_that_is_asked_for_is_passed_on() -> None:
    with http_service(201, QUEUED) as service:
        service.reply(429, error(20429, 429), Retry_After="17")
        async with sms_to(service.url) as channel:
            delivery = await channel.send(a_message())
    assert delivery.retry_after is not None
    assert delivery.retry_after.total_seconds() == 17


@pytest.mark.parametrize(("status", "body"), [(429, "slow down"), (400, error(21611)), (429, error(20429, 429))])
async def test_a_service_that_has_too_much_is_given_a_pause_without_asking(status: int, body: object) -> None:
    with http_service(status, body) as service:
        async with sms_to(service.url) as channel:
            assert (await channel.send(a_message())).retry_after == sms.PAUSE


@pytest.mark.parametrize("reply", [HANG, DROP])
async def test_a_request_that_was_read_and_not_answered_is_unknown(reply: str) -> None:
    with http_service(201, QUEUED) as service:
        service.replies.append(reply)
        async with sms_to(service.url, timeout="200ms") as channel:
            delivery = await asyncio.wait_for(channel.send(a_message()), 60)
        assert (delivery.verdict, len(service.asked)) == (Verdict.UNKNOWN, 1)


async def test_a_service_that_is_not_there_is_down_and_nothing_is_in_doubt() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with sms_to(f"http://127.0.0.1:{nobody.getsockname()[1]}") as channel:
            assert (await channel.send(a_message())).verdict is Verdict.DOWN
            assert (await channel.probe()).verdict is Verdict.DOWN


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, Verdict.SENT), (404, Verdict.SENT), (401, Verdict.DOWN), (429, Verdict.DOWN), (500, Verdict.DOWN)],
)
async def test_a_probe_asks_for_our_account_and_sends_nothing(status: int, verdict: Verdict) -> None:
    with http_service(status) as service:
        async with sms_to(service.url) as channel:
            assert (await channel.probe()).verdict is verdict
        assert [(a.method, a.path) for a in service.asked] == [("GET", "/2010-04-01/Accounts/AC1.json")]


async def test_a_refusal_of_our_own_number_is_believed_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_service(200) as service:
        async with sms_to(service.url) as channel:
            service.reply(400, error(21606))
            refused = await channel.send(a_message())
            assert await channel.probe() == refused
            monkeypatch.setattr(sms, "BELIEVE_REFUSAL", 0.0)
            assert (await channel.probe()).verdict is Verdict.SENT


async def test_no_secret_is_in_any_detail() -> None:
    with http_service(401, error(20003, 401)) as service:
        async with sms_to(service.url) as channel:
            assert "secret-token" not in (await channel.send(a_message())).detail


@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["code", "error_code", "sid"]), st.none() | st.text() | st.integers() | st.floats()
    ),
)
def test_whatever_is_answered_has_a_verdict(status: int, body: dict[str, Any]) -> None:
    assert judged(Answer(status, "text", body, None), "text").verdict in Verdict


async def test_several_messages_travel_at_once() -> None:
    with http_service(201, QUEUED) as service:
        async with sms_to(service.url) as channel:
            deliveries = await asyncio.gather(*(channel.send(a_message()) for _ in range(channel.concurrency)))
        assert {d.verdict for d in deliveries} == {Verdict.SENT}
        assert len(service.asked) == channel.concurrency


def test_the_rate_is_the_operators() -> None:
    given = {"account_sid": "AC1", "token": "t", "sender": "Sexton", "per_second": 0.5}
    assert SmsChannel(SmsSettings.model_validate(given)).per_second == 0.5
