"""The settings of the channels: what is accepted, what is refused and with which remedy."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from pydantic import ValidationError

from daemon.channel_settings import ChannelsSettings, EmailSettings, problems
from daemon.channels import configured

MAIL = {"host": "mail.example.org", "sender": "Sexton <sexton@example.org>"}
SMS = {"account_sid": "AC1", "token": "t", "sender": "+12025550123"}
HOOK = "https://hooks.example.org/T/B/secret"
SECRET = "0123456789abcdef0123456789abcdef"


def settings(**sections: Any) -> ChannelsSettings:
    return ChannelsSettings.model_validate(sections)


def test_nothing_configured_is_no_channel_and_no_problem() -> None:
    assert configured(settings()) == {}
    assert problems(settings()) == []


async def test_each_section_makes_its_channel() -> None:
    channels = configured(settings(email=MAIL, sms=SMS, slack={"webhook_url": HOOK}, discord={"webhook_url": HOOK}))
    assert {name: channel.name for name, channel in channels.items()} == {
        "email": "email", "sms": "sms", "slack": "slack", "discord": "discord",
    }  # fmt: skip
    assert (channels["email"].concurrency, channels["email"].per_second, channels["sms"].per_second) == (10, None, 5)
    for channel in channels.values():
        await channel.aclose()


@pytest.mark.parametrize(
    ("given", "port", "tls"),
    [
        ({}, 587, "starttls"), ({"port": 465}, 465, "implicit"), ({"port": "465"}, 465, "implicit"),
        ({"tls": "implicit"}, 465, "implicit"), ({"port": 465, "tls": "starttls"}, 465, "starttls"),
        ({"port": 2525}, 2525, "starttls"), ({"tls": "none"}, 587, "none"),
    ],
)  # fmt: skip
def test_port_and_encryption_follow_each_other(given: dict[str, Any], port: int, tls: str) -> None:
    email = EmailSettings.model_validate({**MAIL, **given})
    assert (email.port, email.tls) == (port, tls)


def test_a_user_name_that_is_an_address_is_the_sender() -> None:
    email = EmailSettings.model_validate({"host": "mail.example.org", "username": "a@example.org", "password": "p"})
    assert (email.mail_from, email.own_domain) == (("", "a@example.org"), "example.org")


@pytest.mark.parametrize(
    ("section", "values", "remedy"),
    [
        ("email", {"host": "mail.example.org"}, "sender is missing"),
        ("email", {**MAIL, "sender": "nobody"}, "is no e-mail address"),
        ("email", {**MAIL, "sender": "żółw@example.org"}, "in ASCII"),
        ("email", {**MAIL, "reply_to": "żółw@example.org"}, "reply_to: write an address in ASCII"),
        ("email", {**MAIL, "reply_to": "a@b\nBcc: c@d"}, "is no e-mail address"),
        ("email", {**MAIL, "username": "u"}, "belong together"),
        ("email", {**MAIL, "username": "u", "password": "p", "tls": "none"}, "in the clear"),
        ("email", {**MAIL, "domain": "exa mple\r\n"}, "pattern"),
        ("email", {**MAIL, "concurrency": 0}, "greater than or equal to 1"),
        ("email", {**MAIL, "timeout": 0}, "greater than"),
        ("sms", {"account_sid": "AC1"}, "token is missing"),
        ("sms", {"account_sid": "AC1", "token": "t"}, "set one of sender"),
        ("sms", {**SMS, "messaging_service_sid": "MG1"}, "set one of sender"),
        ("sms", {**SMS, "account_sid": "AC1/../x"}, "pattern"),
        ("sms", {**SMS, "base_url": "http://sms.example.org"}, "begins with https://"),
        ("sms", {**SMS, "base_url": "https://sms.example.org/?x=1"}, r"without \? and #"),
        ("slack", {"webhook_url": "http://hooks.example.org/x"}, "begins with https://"),
        ("discord", {"webhook_url": "hooks.example.org"}, "begins with https://"),
        ("outbox", {"administrators": ["nobody"]}, "is no e-mail address"),
        ("outbox", {"unsubscribe_secret": "short"}, "at least 16 random characters"),
        ("outbox", {"quiet_start": "21:00Z"}, "without a zone"),
        ("outbox", {"timezone": "Asia/Kolkatta"}, 'write an IANA name such as "Europe/Zurich"'),
        ("outbox", {"max_attempts": 0}, "greater than or equal to 1"),
        ("public", {"listen": "8080"}, "HOST:PORT"),
        ("public", {"base_url": "http://example.org"}, "begins with https://"),
        ("alerts", {"direct": "sms"}, "slack"),
        ("alerts", {"heartbeat_url": "ftp://example.org"}, "begins with https://"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_remedy(section: str, values: dict[str, Any], remedy: str) -> None:
    with pytest.raises(ValidationError, match=remedy):
        settings(**{section: values})


def test_a_password_may_be_plain_to_this_machine_only() -> None:
    for host in ("localhost", "127.0.0.1", "::1"):
        email = {**MAIL, "host": host, "username": "u", "password": "p", "tls": "none"}
        assert settings(email=email).email.host == host


def test_secrets_are_not_shown() -> None:
    shown = repr(
        settings(
            email={**MAIL, "username": "u", "password": "hush-1"}, sms={**SMS, "token": "hush-2"},
            slack={"webhook_url": f"{HOOK}/hush-3"}, outbox={"unsubscribe_secret": f"hush-4{SECRET}"},
        )
    )  # fmt: skip
    assert "hush" not in shown


def test_lists_of_the_environment_are_separated_by_commas() -> None:
    outbox = settings(outbox={"administrators": "a@example.org, b@example.org,"}).outbox
    assert outbox.administrators == ("a@example.org", "b@example.org")


def test_quiet_hours_are_from_nine_to_ten_unless_said() -> None:
    outbox = settings(outbox={"quiet_end": "08:30"}).outbox
    assert (outbox.quiet_start, outbox.quiet_end) == (time(21), time(8, 30))


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"public": {"listen": "127.0.0.1:8080"}}, "public.base_url is missing"),
        ({"public": {"base_url": "https://example.org"}}, "outbox.unsubscribe_secret is missing"),
        ({"alerts": {"direct": "slack"}}, 'alerts.direct = "slack", which is not configured: fill in [slack]'),
        ({"alerts": {"direct": "email"}, "email": MAIL}, "fill in outbox.administrators"),
    ],
)
def test_sections_that_need_each_other_say_so(sections: dict[str, Any], problem: str) -> None:
    assert any(problem in found for found in problems(settings(**sections)))


def test_a_public_listener_with_its_url_and_secret_is_well() -> None:
    public = {"listen": "0.0.0.0:8080", "base_url": "https://example.org/mail/"}
    whole = settings(public=public, outbox={"unsubscribe_secret": SECRET})
    assert problems(whole) == []
    assert whole.public.base_url == "https://example.org/mail"
