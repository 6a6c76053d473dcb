"""E-mail against a real mail server: what is sent, over how many connections, and what each refusal means."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
import trustme
from aiosmtpd.smtp import AuthResult

from daemon.channels import smtp_pool
from daemon.channels.channel import Message, Verdict
from daemon.channels.mime import message_id
from tests.daemon.channels.mail_server import (
    DROP,
    DROP_AFTER,
    HANG,
    PASSWORD,
    USER,
    certificate,
    email_to,
    login,
    mail_server,
)


def a_message(number: int = 1, address: str = "ada@example.org", text: str = "Good day.") -> Message:
    return Message(number, f"key-{number}", "transactional", address, f"Subject {number}", text, f"<p>{text}</p>")


async def test_a_mail_arrives_with_its_envelope_and_its_message_id() -> None:
    async with mail_server() as server, email_to(server) as channel:
        delivery = await channel.send(a_message())
        (received,) = server.received
    assert (delivery.verdict, delivery.provider_id) == (Verdict.SENT, "Q0")
    assert (received.sender, received.recipients) == ("sexton@example.org", ["ada@example.org"])
    mail = message_from_bytes(received.content, policy=policy.default)
    assert mail["Message-ID"] == message_id("key-1", "example.org")
    assert mail["From"] == "Sexton <sexton@example.org>"
    assert mail.get_body(("html",)).get_content().strip() == "<p>Good day.</p>"  # type: ignore[union-attr]


async def test_one_connection_carries_many_mails() -> None:
    async with mail_server() as server, email_to(server) as channel:
        for number in range(50):
            assert (await channel.send(a_message(number))).verdict is Verdict.SENT
        assert (len(server.received), server.sessions) == (50, 1)
        assert "RSET" not in server.commands  # nothing was refused and nothing rested: it would cost a round trip


async def test_sends_at_once_have_a_connection_each_up_to_the_limit() -> None:
    async with mail_server() as server, email_to(server, concurrency=4) as channel:
        deliveries = await asyncio.gather(*(channel.send(a_message(n)) for n in range(100)))
        assert {d.verdict for d in deliveries} == {Verdict.SENT}
        assert (len(server.received), server.sessions) == (100, 4)


async def test_a_server_that_allows_fewer_connections_is_served_over_those() -> None:
    async with mail_server(most=3) as server, email_to(server, concurrency=10) as channel:
        deliveries = await asyncio.gather(*(channel.send(a_message(n)) for n in range(100)))
        assert {d.verdict for d in deliveries} == {Verdict.SENT}
        assert (len(server.received), server.sessions) == (100, 3)


async def test_lines_that_begin_with_a_dot_arrive_as_they_were() -> None:
    text = ".\n..\n.hidden\nend."
    async with mail_server() as server, email_to(server) as channel:
        await channel.send(a_message(text=text))
        mail = message_from_bytes(server.received[0].content, policy=policy.default)
    assert mail.get_body(("plain",)).get_content().split() == text.split()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("command", "answer", "verdict"),
    [
        ("MAIL", "451 4.3.0 try later", Verdict.RETRY),
        ("MAIL", "553 5.7.1 sender not yours", Verdict.DOWN),
        ("MAIL", "530 5.7.0 log in first", Verdict.DOWN),
        ("MAIL", "552 5.3.4 too big", Verdict.REJECTED),
        ("RCPT", "450 4.7.1 greylisted", Verdict.RETRY),
        ("RCPT", "550 5.1.1 no such user", Verdict.REJECTED),
        ("DATA", "452 4.3.1 disk full", Verdict.RETRY),
        ("DATA", "554 5.7.1 looks like spam", Verdict.REJECTED),
    ],
)
async def test_a_refusal_is_this_mails_alone(command: str, answer: str, verdict: Verdict) -> None:
    async with mail_server() as server, email_to(server) as channel:
        server.answer(command, answer)
        refused = await channel.send(a_message(1))
        after = await channel.send(a_message(2))
        assert (refused.verdict, after.verdict) == (verdict, Verdict.SENT)
        assert answer in refused.detail
        assert (len(server.received), server.sessions) == (1, 1)
        assert "RSET" in server.commands


async def test_a_mailbox_that_does_not_exist_is_dead_and_one_that_is_full_is_not() -> None:
    async with mail_server() as server, email_to(server) as channel:
        server.answer("RCPT", "550 5.1.1 no such user", "552 5.2.2 mailbox full")
        assert (await channel.send(a_message(1))).address_is_dead
        assert not (await channel.send(a_message(2))).address_is_dead


async def test_a_connection_closed_while_it_rested_costs_nothing() -> None:
    async with mail_server() as server, email_to(server) as channel:
        assert (await channel.send(a_message(1))).verdict is Verdict.SENT
        server.cut_everybody()
        assert (await channel.send(a_message(2))).verdict is Verdict.SENT
        assert (len(server.received), server.sessions) == (2, 2)


@pytest.mark.parametrize("answer", ["250 2.0.0 alive", DROP, HANG, "421 4.4.2 idle for too long"])
async def test_a_connection_that_rested_for_long_is_asked_whether_it_lives(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_pool, "ASK_AFTER_IDLE", 0.0)
    monkeypatch.setattr(smtp_pool, "PATIENCE_FOR_ANSWER", 0.1)
    async with mail_server() as server, email_to(server) as channel:
        await channel.send(a_message(1))
        server.answer("RSET", answer)
        assert (await channel.send(a_message(2))).verdict is Verdict.SENT
        assert server.commands == ["MAIL", "RCPT", "DATA", "RSET", "MAIL", "RCPT", "DATA"]
        assert server.sessions == (1 if answer.startswith("250") else 2)


@pytest.mark.parametrize(("command", "answer"), [("MAIL", DROP), ("RCPT", DROP), ("MAIL", "421 4.3.2 closing")])
async def test_an_old_connection_that_closes_before_the_mail_is_replaced_at_once(command: str, answer: str) -> None:
    async with mail_server() as server, email_to(server) as channel:
        await channel.send(a_message(1))
        server.answer(command, answer)
        assert (await channel.send(a_message(2))).verdict is Verdict.SENT
        assert [r.session for r in server.received] == [1, 2]


@pytest.mark.parametrize(("command", "verdict"), [("MAIL", Verdict.DOWN), ("RCPT", Verdict.RETRY)])
async def test_a_new_connection_that_closes_before_the_mail_is_tried_later(command: str, verdict: Verdict) -> None:
    async with mail_server() as server, email_to(server) as channel:
        server.answer(command, DROP)
        assert (await channel.send(a_message())).verdict is verdict
        assert server.received == []


@pytest.mark.parametrize("answer", ["452 4.5.3 too many messages in this session", "451 4.7.0 enough"])
async def test_a_connection_that_has_carried_its_share_is_replaced_at_once(answer: str) -> None:
    async with mail_server() as server, email_to(server) as channel:
        assert (await channel.send(a_message(1))).verdict is Verdict.SENT
        server.answer("MAIL", answer)
        assert (await channel.send(a_message(2))).verdict is Verdict.SENT
        assert (len(server.received), server.sessions) == (2, 2)


@pytest.mark.parametrize("answer", ["421 4.3.2 shutting down", "452 4.3.1 Insufficient system storage"])
async def test_a_server_that_takes_nothing_from_anybody_is_down_and_so_is_its_probe(answer: str) -> None:
    async with mail_server() as server, email_to(server) as channel:
        server.answer("MAIL", answer, answer)
        assert (await channel.send(a_message())).verdict is Verdict.DOWN
        assert (await channel.probe()).verdict is Verdict.DOWN
        assert (await channel.probe()).verdict is Verdict.SENT


async def test_a_connection_that_closes_after_the_mail_is_ambiguous_and_not_repeated_by_us() -> None:
    async with mail_server() as server, email_to(server) as channel:
        await channel.send(a_message(1))
        server.answer("DATA", DROP)
        delivery = await channel.send(a_message(2))
        assert delivery.verdict is Verdict.RETRY
        assert "connection lost at DATA" in delivery.detail
        assert len(server.received) == 2  # it had arrived
        assert (await channel.send(a_message(2))).verdict is Verdict.SENT
        first, again = (message_from_bytes(r.content)["Message-ID"] for r in server.received[1:])
        assert first == again


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_stops_answering_is_waited_for_no_longer_than_the_timeout(command: str) -> None:
    async with mail_server() as server, email_to(server, timeout="200ms") as channel:
        server.answer(command, HANG)
        delivery = await asyncio.wait_for(channel.send(a_message()), 60)
        assert delivery.verdict is (Verdict.DOWN if command == "MAIL" else Verdict.RETRY)
        assert command in delivery.detail
        assert (await channel.send(a_message(2))).verdict is Verdict.SENT


async def test_a_server_that_is_not_there_is_down() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with mail_server() as server:
            server.port = nobody.getsockname()[1]
            async with email_to(server) as channel:
                delivery, probe = await channel.send(a_message()), await channel.probe()
    assert (delivery.verdict, probe.verdict) == (Verdict.DOWN, Verdict.DOWN)
    assert f"127.0.0.1:{server.port}" in delivery.detail


async def test_a_server_that_says_nothing_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with mail_server() as server:
            server.port = silent.getsockname()[1]
            async with email_to(server, timeout="200ms") as channel:
                assert (await asyncio.wait_for(channel.send(a_message()), 60)).verdict is Verdict.DOWN


async def test_a_greeting_may_take_as_long_as_any_other_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    patience: list[float | None] = []

    class Noting(aiosmtplib.SMTP):
        async def connect(self, **given: Any) -> Any:
            patience.append(self.timeout)
            return await super().connect(**given)

    monkeypatch.setattr(smtp_pool, "SMTP", Noting)
    async with mail_server() as server, email_to(server, timeout="45s") as channel:
        assert (await channel.send(a_message())).verdict is Verdict.SENT
    assert patience == [45.0]


@pytest.mark.parametrize("greeting", ["554 no service for you", "421 4.3.2 shutting down", "hello, I am HTTP"])
async def test_a_greeting_that_refuses_us_is_down_for_everybody_at_once(greeting: str) -> None:
    async with mail_server() as server, email_to(server) as channel:
        server.answer("GREETING", *[greeting] * 20)
        deliveries = await asyncio.wait_for(asyncio.gather(*(channel.send(a_message(n)) for n in range(20))), 60)
        assert {d.verdict for d in deliveries} == {Verdict.DOWN}


async def test_the_channel_works_again_when_the_server_does() -> None:
    async with mail_server() as server, email_to(server) as channel:
        server.answer("GREETING", "421 4.3.2 shutting down")
        assert (await channel.send(a_message(1))).verdict is Verdict.DOWN
        server.answers.clear()
        assert (await channel.probe()).verdict is Verdict.SENT
        assert (await channel.send(a_message(1))).verdict is Verdict.SENT


async def test_a_probe_sends_nothing_to_anybody() -> None:
    async with mail_server() as server, email_to(server) as channel:
        assert (await channel.probe()).verdict is Verdict.SENT
        assert server.commands == ["MAIL", "RSET"]
        assert server.received == []


async def test_a_probe_sees_that_the_sender_is_still_refused() -> None:
    async with mail_server() as server, email_to(server) as channel:
        server.answer("MAIL", "553 5.7.1 sender not yours", "553 5.7.1 sender not yours")
        assert (await channel.send(a_message())).verdict is Verdict.DOWN
        probe = await channel.probe()
        assert probe.verdict is Verdict.DOWN
        assert "553 5.7.1 sender not yours" in probe.detail
        assert (await channel.probe()).verdict is Verdict.SENT


async def test_a_server_that_answers_and_closes_is_served_anew() -> None:
    async with mail_server() as server, email_to(server) as channel:
        server.answer("DATA", f"{DROP_AFTER}250 2.0.0 Ok: queued as LAST")
        first = await channel.send(a_message(1))
        second = await channel.send(a_message(2))
        assert (first.provider_id, second.verdict) == ("LAST", Verdict.SENT)


async def test_a_send_that_is_cancelled_leaves_no_half_transaction_behind() -> None:
    async with mail_server() as server, email_to(server) as channel:
        server.answer("RCPT", HANG)
        task = asyncio.create_task(channel.send(a_message(1)))
        while "RCPT" not in server.commands:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await channel.send(a_message(2))).verdict is Verdict.SENT
        assert [r.session for r in server.received] == [2]


@pytest.mark.parametrize(
    "address", ["nobody", "a@b@c", "ada@example.org\r\nBcc: eve@example.org", "ada@example.org, eve@example.org", ""]
)
async def test_an_address_that_is_none_is_rejected_before_anything_is_said(address: str) -> None:
    async with mail_server() as server, email_to(server) as channel:
        delivery = await channel.send(a_message(address=address))
        assert (delivery.verdict, server.sessions) == (Verdict.REJECTED, 0)
        assert "is no e-mail address" in delivery.detail


async def test_a_mail_bigger_than_the_server_takes_is_rejected_before_it_travels() -> None:
    async with mail_server(data_size_limit=2000) as server, email_to(server) as channel:
        delivery = await channel.send(a_message(text="x" * 3000))
        assert delivery.verdict is Verdict.REJECTED
        assert "the server takes 2000" in delivery.detail
        assert "MAIL" not in server.commands


async def test_an_address_in_another_script_needs_a_server_that_takes_it() -> None:
    async with mail_server(enable_SMTPUTF8=True) as server, email_to(server) as channel:
        assert (await channel.send(a_message(address="żółw@bücher.example"))).verdict is Verdict.SENT
        assert server.received[0].recipients == ["żółw@xn--bcher-kva.example"]
        assert "SMTPUTF8" in server.received[0].options
    async with mail_server() as server, email_to(server) as channel:
        delivery = await channel.send(a_message(address="żółw@bücher.example"))
        assert delivery.verdict is Verdict.REJECTED
        assert "SMTPUTF8" in delivery.detail


@pytest.mark.parametrize("way", ["starttls", "implicit"])
async def test_mail_travels_encrypted_and_after_a_login(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, context = certificate()
    trust(authority, tmp_path, monkeypatch)
    offered: dict[str, Any] = (
        {"tls": context, "auth_required": True}
        if way == "starttls"
        else {"implicit": context, "auth_require_tls": False}
    )
    async with mail_server(authenticator=login, **offered) as server:
        async with email_to(server, tls=way, username=USER, password=PASSWORD) as channel:
            deliveries = await asyncio.gather(*(channel.send(a_message(n)) for n in range(5)))
        async with email_to(server, tls=way, username=USER, password="wrong") as channel:
            refused, probe = await channel.send(a_message(9)), await channel.probe()
    assert {d.verdict for d in deliveries} == {Verdict.SENT}
    assert (refused.verdict, probe.verdict) == (Verdict.DOWN, Verdict.DOWN)
    assert "535" in refused.detail
    assert "wrong" not in refused.detail


@pytest.mark.parametrize("way", ["starttls", "implicit"])
async def test_a_certificate_of_nobody_we_trust_is_down(way: str) -> None:
    _, context = certificate()
    offered = {"tls": context} if way == "starttls" else {"implicit": context}
    async with mail_server(**offered) as server, email_to(server, tls=way) as channel:  # type: ignore[arg-type]
        delivery = await channel.send(a_message())
        assert delivery.verdict is Verdict.DOWN
        assert "certificate" in delivery.detail
        assert server.received == []


async def test_a_certificate_of_another_host_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, context = certificate("elsewhere.example")
    trust(authority, tmp_path, monkeypatch)
    async with mail_server(tls=context) as server, email_to(server, tls="starttls") as channel:
        assert (await channel.send(a_message())).verdict is Verdict.DOWN


@pytest.mark.parametrize("mechanism", ["LOGIN", "PLAIN"])
async def test_a_server_that_repeats_what_it_refuses_tells_no_password(mechanism: str) -> None:
    said = f"\0{USER}\0wrong but secret" if mechanism == "PLAIN" else "wrong but secret"
    wrapped = base64.b64encode(said.encode()).decode()

    def repeats(*_given: object) -> AuthResult:
        return AuthResult(success=False, handled=False, message=f"535 5.7.8 no: {wrapped} (wrong but secret)")

    others = [name for name in ("LOGIN", "PLAIN") if name != mechanism]
    settings = {"username": USER, "password": "wrong but secret"}
    async with (
        mail_server(authenticator=repeats, auth_require_tls=False, auth_exclude_mechanism=others) as server,
        email_to(server, **settings) as channel,
    ):
        for refused in (await channel.send(a_message()), await channel.probe()):
            assert refused.verdict is Verdict.DOWN
            assert refused.detail.endswith("535 5.7.8 no: […] ([…])")


async def test_nothing_is_sent_in_the_clear_to_a_server_without_starttls() -> None:
    async with mail_server() as server, email_to(server, tls="starttls") as channel:
        delivery = await channel.send(a_message())
        assert delivery.verdict is Verdict.DOWN
        assert "STARTTLS" in delivery.detail
        assert server.received == []


def trust(authority: trustme.CA, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator does who has a certificate authority of their own."""
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    assert ssl.get_default_verify_paths().cafile == str(file)
