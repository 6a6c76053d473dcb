"""What mail servers answer, and what follows from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.channels.channel import Verdict
from daemon.channels.smtp_replies import Stage, accepted, lost, refused, unreachable


@pytest.mark.parametrize(
    ("stage", "code", "text", "verdict"),
    [
        (Stage.SENDER, 421, "4.3.2 shutting down", Verdict.DOWN),
        (Stage.SENDER, 452, "4.3.1 Insufficient system storage", Verdict.DOWN),
        (Stage.SENDER, 450, "4.7.1 too many messages from you", Verdict.RETRY),
        (Stage.RECIPIENT, 421, "4.7.0 this one not now", Verdict.RETRY),
        (Stage.SENDER, 451, "greylisted", Verdict.RETRY),
        (Stage.SENDER, 550, "5.7.1 sender refused", Verdict.DOWN),
        (Stage.SENDER, 501, "bad sender", Verdict.DOWN),
        (Stage.SENDER, 552, "too big", Verdict.REJECTED),
        (Stage.SENDER, 553, "5.6.7 needs SMTPUTF8", Verdict.REJECTED),
        (Stage.SENDER, 530, "5.7.0 Must issue a STARTTLS command first", Verdict.DOWN),
        (Stage.RECIPIENT, 450, "4.2.1 mailbox busy", Verdict.RETRY),
        (Stage.RECIPIENT, 550, "5.1.1 no such user", Verdict.REJECTED),
        (Stage.RECIPIENT, 530, "Authentication required", Verdict.DOWN),
        (Stage.RECIPIENT, 503, "bad sequence", Verdict.RETRY),
        (Stage.CONTENT, 452, "full", Verdict.RETRY),
        (Stage.CONTENT, 554, "spam", Verdict.REJECTED),
        (Stage.CONTENT, -1, "Malformed SMTP response line", Verdict.RETRY),
        (Stage.CONTENT, 250, "too early", Verdict.RETRY),
    ],
)  # fmt: skip
def test_the_code_and_how_far_it_had_come_decide(stage: Stage, code: int, text: str, verdict: Verdict) -> None:
    delivery = refused(stage, code, text)
    assert delivery.verdict is verdict
    assert delivery.detail == f"{code} {text} (answer to {stage})"


@pytest.mark.parametrize(
    ("code", "text", "dead"),
    [
        (550, "5.1.1 <ada@example.org>: Recipient address rejected: User unknown", True),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound", True),
        (550, "5.1.2 bad domain", True),
        (550, "No such user here", True),
        (550, "mailbox unavailable: user unknown", True),
        (551, "The address does not exist", True),
        (550, "5.7.1 blocked by policy; the address does not exist on our list", False),
        (550, "5.2.1 mailbox disabled", False),
        (552, "5.2.2 mailbox full", False),
        (550, "blocked by our filter", False),
        (554, "relay access denied", False),
        (550, "Verification failed for <sexton@example.org> No such user here Sender verify failed", False),
        (553, "Return-path address does not exist", False),
        (450, "4.1.1 user unknown, for now", False),
    ],
)
def test_an_address_is_dead_only_when_the_server_says_so(code: int, text: str, dead: bool) -> None:
    assert refused(Stage.RECIPIENT, code, text).address_is_dead is dead


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("5.7.1 <a@b.de>: Relay access denied", "5.7.1 <x@y.org>: Relay access denied"),
        ("Relaying denied for b.de", "Relaying denied for y.org"),
        ("5.7.64 TenantAttribution; Denied [AB12.eur.example]", "5.7.64 TenantAttribution; Denied [CD34.eur.example]"),
    ],
)  # fmt: skip
def test_a_policy_reads_the_same_whoever_it_refuses(first: str, second: str) -> None:
    assert refused(Stage.RECIPIENT, 554, first).policy == refused(Stage.RECIPIENT, 554, second).policy != ""


@pytest.mark.parametrize(
    ("stage", "code", "text"),
    [
        (Stage.RECIPIENT, 550, "5.1.1 no such user"), (Stage.RECIPIENT, 550, "No such user here"),
        (Stage.RECIPIENT, 552, "5.2.2 mailbox full"), (Stage.RECIPIENT, 450, "4.7.1 greylisted"),
        (Stage.RECIPIENT, 451, "greylisted"), (Stage.SENDER, 552, "too big"), (Stage.CONTENT, 552, "too big"),
        (Stage.CONTENT, 554, "5.6.0 bad content"), (Stage.CONTENT, 554, "5.3.4 too big for us"),
        (Stage.CONTENT, 550, "5.1.1 user unknown"), (Stage.CONTENT, 451, "greylisted"),
    ],
)  # fmt: skip
def test_what_is_about_a_mailbox_or_a_message_is_no_policy(stage: Stage, code: int, text: str) -> None:
    assert refused(stage, code, text).policy == ""


@pytest.mark.parametrize(
    ("stage", "code", "text"),
    [
        (Stage.CONTENT, 554, "5.7.60 SMTP; Client does not have permissions to send as this sender"),
        (Stage.CONTENT, 554, "5.7.1 looks like spam"), (Stage.SENDER, 451, "4.3.0 Temporary lookup failure"),
        (Stage.RECIPIENT, 451, "4.3.5 Server configuration error"), (Stage.RECIPIENT, 421, "closing"),
        (Stage.CONTENT, 451, "4.3.0 Error: queue file write error"), (Stage.CONTENT, 452, "out of room"),
    ],
)  # fmt: skip
def test_what_a_server_says_of_itself_is_a_policy_so_that_others_show_whether_it_is_for_all(
    stage: Stage, code: int, text: str
) -> None:
    assert refused(stage, code, text).policy != ""


def test_words_about_users_in_a_refusal_of_the_content_kill_no_address() -> None:
    assert not refused(Stage.CONTENT, 550, "5.1.1 user unknown").address_is_dead


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        ("2.0.0 Ok: queued as 4F2A1", "4F2A1"), ("OK id=1rABCd-000123-Xy", "1rABCd-000123-Xy"),
        ("2.6.0 <a@b> Queued mail for delivery", None), ("", None),
    ],
)  # fmt: skip
def test_the_servers_own_name_of_a_mail_is_kept(reply: str, name: str | None) -> None:
    delivery = accepted(reply)
    assert (delivery.verdict, delivery.provider_id) == (Verdict.SENT, name)


def test_a_lost_connection_is_tried_again_and_an_unreachable_server_is_down() -> None:
    assert lost(Stage.CONTENT, "reset").verdict is lost(Stage.RECIPIENT, "timed out").verdict is Verdict.RETRY
    assert lost(Stage.RECIPIENT, "reset").policy == lost(Stage.RECIPIENT, "timed out").policy != ""
    assert lost(Stage.SENDER, "reset").verdict is Verdict.DOWN  # it knows of no message yet
    assert unreachable("refused").verdict is Verdict.DOWN


@given(st.sampled_from(Stage), st.integers(-1, 999), st.text(max_size=2000))
def test_whatever_is_answered_is_one_short_line(stage: Stage, code: int, text: str) -> None:
    delivery = refused(stage, code, text)
    assert len(delivery.detail) <= 300
    assert delivery.detail.splitlines() in ([], [delivery.detail])
    assert delivery.verdict in (Verdict.RETRY, Verdict.REJECTED, Verdict.DOWN)
