"""Slack and Discord against a real HTTP server that answers as they do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.channel_settings import DiscordSettings, SlackSettings
from daemon.channels import discord, slack, webhook
from daemon.channels.channel import Channel, Message, Verdict
from daemon.channels.discord import DiscordChannel
from daemon.channels.slack import SlackChannel
from tests.daemon.channels.http_service import DROP, HANG, http_service

SECRET = "/services/T000/B000/not-to-be-told"
CHATS = ("slack", "discord")
WELL = {"slack": "ok", "discord": {"id": "4711"}}


def a_message(text: str = "The job failed.", subject: str = "Failed") -> Message:
    return Message(1, "key", "alert", "", subject, text)


@asynccontextmanager
async def chat(name: str, url: str) -> AsyncIterator[Channel]:
    channel: Channel
    if name == "slack":
        channel = SlackChannel(SlackSettings.model_validate({"webhook_url": url + SECRET}))
    else:
        channel = DiscordChannel(DiscordSettings.model_validate({"webhook_url": url + SECRET}))
    try:
        yield channel
    finally:
        await channel.aclose()


async def test_slack_gets_a_header_and_a_section() -> None:
    with http_service(200, "ok") as service:
        async with chat("slack", service.url) as channel:
            delivery = await channel.send(a_message())
        (asked,) = service.asked
    assert delivery.verdict is Verdict.SENT
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", SECRET, "application/json")
    assert asked.json["text"] == "Failed"
    assert [b["text"]["text"] for b in asked.json["blocks"]] == ["Failed", "The job failed."]


async def test_discord_gets_one_content_and_calls_nobody() -> None:
    with http_service(200, {"id": "4711"}) as service:
        async with chat("discord", service.url) as channel:
            delivery = await channel.send(a_message("@everyone look at <@123> and <#4>"))
        (asked,) = service.asked
    assert (delivery.verdict, delivery.provider_id) == (Verdict.SENT, "4711")
    assert (asked.method, asked.path) == ("POST", f"{SECRET}?wait=true")
    content = asked.json["content"]
    assert content.startswith("**Failed**\n")
    assert asked.json["allowed_mentions"] == {"parse": []}
    assert not any(mention in content for mention in ("@everyone", "<@", "<#"))


async def test_discords_204_without_a_body_is_sent_too() -> None:
    with http_service(204) as service:
        async with chat("discord", service.url) as channel:
            delivery = await channel.send(a_message())
    assert (delivery.verdict, delivery.provider_id) == (Verdict.SENT, None)


def test_slack_shows_mentions_and_links_as_text() -> None:
    content = slack.payload(a_message("<!channel> & <https://evil.example|click>", "<@U1>"))
    assert content["text"] == "&lt;@U1&gt;"
    assert content["blocks"][1]["text"]["text"] == "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;"


@given(st.text(max_size=200), st.text(alphabet=st.sampled_from("ab<>&@😀 "), max_size=8000))
def test_slack_never_gets_more_than_it_takes(subject: str, text: str) -> None:
    content = slack.payload(a_message(text, subject))
    blocks = [b["text"]["text"] for b in content["blocks"]]
    for block, limit in zip(blocks[-2:], (150, 3000) if subject.strip() else (3000, 0), strict=False):
        assert 0 < len(block.encode("utf-16-le", "surrogatepass")) // 2 <= limit
    if text.strip():
        assert not any(c in blocks[-1] for c in "<>")
        assert blocks[-1].replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").count("&") == 0


@given(st.text(max_size=200), st.text(alphabet=st.sampled_from("ab<@#&😀 "), max_size=4000))
def test_discord_never_gets_more_than_it_takes_nor_a_mention(subject: str, text: str) -> None:
    content = discord.payload(a_message(text, subject))["content"]
    assert len(content.encode("utf-16-le", "surrogatepass")) // 2 <= 2000
    assert "<@" not in content
    assert "<#" not in content


@pytest.mark.parametrize("name", CHATS)
async def test_an_empty_message_is_rejected_and_not_posted(name: str) -> None:
    with http_service(200, WELL[name]) as service:
        async with chat(name, service.url) as channel:
            assert (await channel.send(a_message(" ", ""))).verdict is Verdict.REJECTED
        assert service.asked == []


@pytest.mark.parametrize("name", CHATS)
@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, "invalid_payload", Verdict.REJECTED), (400, "user_not_found", Verdict.REJECTED),
        (413, "", Verdict.REJECTED), (403, "action_prohibited", Verdict.DISABLED),
        (404, "no_service", Verdict.DISABLED), (410, "channel_is_archived", Verdict.DISABLED),
        (401, "", Verdict.DISABLED), (302, "", Verdict.DISABLED),
        (500, "rollup_error", Verdict.RETRY), (502, "", Verdict.RETRY), (503, "", Verdict.RETRY),
        (429, "", Verdict.BUSY), (408, "", Verdict.RETRY),
    ],
)  # fmt: skip
async def test_the_status_decides(name: str, status: int, body: str, verdict: Verdict) -> None:
    with http_service(status, body) as service:
        async with chat(name, service.url) as channel:
            delivery = await channel.send(a_message())
        assert (delivery.verdict, len(service.asked)) == (verdict, 1)
    assert delivery.detail.startswith(str(status))
    assert "not-to-be-told" not in delivery.detail


@pytest.mark.parametrize("name", CHATS)
@pytest.mark.parametrize("status", [404, 500])
async def test_an_error_page_that_repeats_the_address_tells_no_secret(name: str, status: int) -> None:
    with http_service(status, f"Cannot POST {SECRET}?wait=true, said not-to-be-told") as service:
        async with chat(name, service.url) as channel:
            sent, probed = await channel.send(a_message()), await channel.probe()
    assert sent.detail.startswith(f"{status} Cannot POST /services/T000/B000/[…]")
    assert "not-to-be-told" not in sent.detail + probed.detail


@pytest.mark.parametrize("name", CHATS)
async def test_a_service_that_has_too_much_is_given_a_pause_without_asking(name: str) -> None:
    with http_service(429) as service:
        async with chat(name, service.url) as channel:
            assert (await channel.send(a_message())).retry_after == webhook.PAUSE


async def test_slack_says_ok_or_it_was_not_slack() -> None:
    with http_service(200, "<html>please log in to the network</html>") as service:
        async with chat("slack", service.url) as channel:
            assert (await channel.send(a_message())).verdict is Verdict.RETRY


async def test_how_long_to_wait_is_in_slacks_header() -> None:
    with http_service(200, "ok") as service:
        service.reply(429, "", Retry_After="30")
        async with chat("slack", service.url) as channel:
            assert (await channel.send(a_message())).retry_after == timedelta(seconds=30)


async def test_how_long_to_wait_is_in_discords_body_to_the_millisecond() -> None:
    with http_service(204) as service:
        service.reply(429, {"message": "slow down", "retry_after": 1.337, "global": False}, Retry_After="2")
        async with chat("discord", service.url) as channel:
            assert (await channel.send(a_message())).retry_after == timedelta(seconds=1.337)


@pytest.mark.parametrize("name", CHATS)
@pytest.mark.parametrize("reply", [HANG, DROP])
async def test_no_answer_is_tried_again_because_a_line_twice_does_no_harm(
    name: str, reply: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook.Webhook.__init__, "__defaults__", (timedelta(seconds=0.2),))
    with http_service(200, WELL[name]) as service:
        service.replies.append(reply)
        async with chat(name, service.url) as channel:
            first = await asyncio.wait_for(channel.send(a_message()), 60)
            again = await channel.send(a_message())
    assert (first.verdict, again.verdict) == (Verdict.RETRY, Verdict.SENT)
    assert "not-to-be-told" not in first.detail


@pytest.mark.parametrize("name", CHATS)
async def test_a_service_that_is_not_there_is_down(name: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with chat(name, f"http://127.0.0.1:{nobody.getsockname()[1]}") as channel:
            delivery, probe = await channel.send(a_message()), await channel.probe()
    assert (delivery.verdict, probe.verdict) == (Verdict.DOWN, Verdict.DOWN)
    assert "not-to-be-told" not in delivery.detail + probe.detail


@pytest.mark.parametrize(
    ("name", "status", "verdict"),
    [
        ("slack", 405, Verdict.SENT), ("slack", 404, Verdict.SENT), ("slack", 410, Verdict.DISABLED),
        ("slack", 503, Verdict.DOWN), ("slack", 429, Verdict.DOWN), ("discord", 200, Verdict.SENT),
        ("discord", 404, Verdict.DISABLED), ("discord", 500, Verdict.DOWN),
    ],
)  # fmt: skip
async def test_a_probe_posts_nothing(name: str, status: int, verdict: Verdict) -> None:
    with http_service(status) as service:
        async with chat(name, service.url) as channel:
            assert (await channel.probe()).verdict is verdict
        assert [a.method for a in service.asked] == ["GET"]


def test_both_post_one_line_at_a_time_and_no_faster_than_they_may() -> None:
    assert (SlackChannel.concurrency, SlackChannel.per_second) == (1, 1.0)
    assert (DiscordChannel.concurrency, DiscordChannel.per_second) == (1, 0.5)
