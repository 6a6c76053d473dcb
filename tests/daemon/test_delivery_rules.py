"""May a message go, and what follows from an answer: every rule, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.channels.channel import Delivery, Verdict
from daemon.delivery_rules import (
    Go,
    Later,
    Never,
    Suppression,
    given_back,
    interrupted,
    judged,
    not_to_be_sent,
    settled,
)
from daemon.outbox import KINDS, OutboxRow, Recipient
from daemon.quiet_hours import QuietHours
from daemon.retry import RetryPolicy

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
GREENWICH = ZoneInfo("UTC")
NIGHT = QuietHours(time(21), time(10))
POLICY = RetryPolicy(7, timedelta(seconds=30))
ASHA = Recipient(id="1", email="asha@example.org", phone="+41790000001", timezone="Asia/Kolkata")


def a_row(**options: object) -> OutboxRow:
    given: dict[str, object] = {
        "id": 1, "token": 9, "suite": "tea", "recipient": "1", "address": None, "channel": "email",
        "template": "hello", "data": {}, "kind": "transactional", "dedupe_key": "k",
    }  # fmt: skip
    return OutboxRow(**(given | options))  # type: ignore[arg-type]


def ruling(
    row: OutboxRow,
    person: Recipient | None = ASHA,
    found: Suppression | None = None,
    now: datetime = NOW,
    home: ZoneInfo = GREENWICH,
) -> object:
    return judged(row, person, found, now, NIGHT, home)


@pytest.mark.parametrize(
    ("channel", "address"),
    [("email", "asha@example.org"), ("sms", "+41790000001"), ("slack", ""), ("discord", "")],
)
def test_a_person_is_reached_where_the_channel_reaches_them(channel: str, address: str) -> None:
    assert ruling(a_row(channel=channel)) == Go(address)


def test_an_address_given_needs_no_person() -> None:
    assert ruling(a_row(recipient=None, address="x@example.org"), None) == Go("x@example.org")


@pytest.mark.parametrize(
    ("row", "person", "why"),
    [
        (a_row(), None, "recipient '1' is not there"),
        (a_row(kind="security"), replace(ASHA, deleted=True), "recipient '1' is deleted"),
        (a_row(), replace(ASHA, email=None), "recipient '1' has no address for email"),
        (a_row(channel="sms"), replace(ASHA, phone=""), "recipient '1' has no address for sms"),
        (a_row(), replace(ASHA, opted_out=("email",)), "opted out of email"),
        (a_row(kind="alert"), replace(ASHA, opted_out=("alert", "sms")), "opted out of alert"),
        (a_row(expires_at=NOW), ASHA, "expired at 2026-03-03T12:00:00+00:00"),
    ],
)
def test_who_cannot_be_or_does_not_want_to_be_written_to_is_not(row: OutboxRow, person: Recipient, why: str) -> None:
    assert ruling(row, person) == Never(why)


def test_a_code_that_somebody_asked_for_goes_whatever_they_refuse() -> None:
    refuses = replace(ASHA, opted_out=("email", "security"))
    assert ruling(a_row(kind="security"), refuses) == Go("asha@example.org")


@pytest.mark.parametrize(
    ("kind", "stops"), [("promotional", True), ("alert", True), ("transactional", False), ("security", False)]
)
def test_an_unsubscription_stops_what_can_be_unsubscribed_from(kind: str, stops: bool) -> None:
    noon_in_india = datetime(2026, 3, 3, 6, 30, tzinfo=UTC)
    found = ruling(a_row(kind=kind), ASHA, Suppression("unsubscribed"), noon_in_india)
    assert found == (Never("unsubscribed") if stops else Go("asha@example.org"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_dead_address_stops_everything_until_there_is_another(kind: str) -> None:
    bounced, noon_in_india = Suppression("hard bounce", "asha@example.org"), datetime(2026, 3, 3, 6, 30, tzinfo=UTC)
    assert ruling(a_row(kind=kind), ASHA, bounced, noon_in_india) == Never("hard bounce")
    assert ruling(a_row(kind=kind), replace(ASHA, email="b@example.org"), bounced, noon_in_india) == Go("b@example.org")


def test_quiet_hours_are_the_persons_own_and_only_for_what_is_promotional() -> None:
    late = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)  # 21:30 in Kolkata
    until = datetime(2026, 3, 4, 4, 30, tzinfo=UTC)
    row = a_row(kind="promotional")
    assert ruling(row, now=late) == Later(until, "quiet hours")
    assert ruling(row, replace(ASHA, timezone="UTC"), now=late) == Go("asha@example.org")
    assert ruling(row, replace(ASHA, quiet_start=time(22)), now=late) == Go("asha@example.org")
    assert ruling(replace(row, expires_at=until), now=late) == Never("expires within quiet hours")
    assert ruling(replace(row, recipient=None, address="x@example.org"), None, now=late) == Go("x@example.org")
    for kind in ("transactional", "security", "alert"):
        assert ruling(a_row(kind=kind), now=late) == Go("asha@example.org")


@pytest.mark.parametrize("zone", [None, "", "Mars/Olympus", "../etc/passwd"])
def test_a_zone_that_is_none_counts_as_the_operators(zone: str | None) -> None:
    person = replace(ASHA, timezone=zone)
    row = a_row(kind="promotional")
    assert ruling(row, person, now=datetime(2026, 3, 3, 22, tzinfo=UTC)) == Later(
        datetime(2026, 3, 4, 10, tzinfo=UTC), "quiet hours"
    )
    india = ZoneInfo("Asia/Kolkata")
    assert ruling(row, person, now=datetime(2026, 3, 3, 16, tzinfo=UTC), home=india) == Later(
        datetime(2026, 3, 4, 4, 30, tzinfo=UTC), "quiet hours"
    )


@pytest.mark.parametrize(
    ("verdict", "state", "unharmed", "failed"),
    [
        (Verdict.SENT, "sent", False, False),
        (Verdict.RETRY, "pending", False, True),
        (Verdict.REJECTED, "failed", False, True),
        (Verdict.OPTED_OUT, "suppressed", False, False),
        (Verdict.UNKNOWN, "pending", False, True),
        (Verdict.DOWN, "pending", True, False),
        (Verdict.BUSY, "pending", True, False),
        (Verdict.DISABLED, "pending", True, False),
    ],
)
def test_what_each_answer_means_for_a_mail(verdict: Verdict, state: str, unharmed: bool, failed: bool) -> None:
    found = settled(a_row(), "a@example.org", Delivery(verdict), POLICY, now=NOW, chance=0.5)
    assert (found.state, found.unharmed, found.failed) == (state, unharmed, failed)
    assert found.disables == (verdict is Verdict.DISABLED)


def test_a_refusal_for_now_waits_twice_as_long_each_time_and_at_least_as_long_as_was_asked() -> None:
    first = settled(a_row(), "", Delivery(Verdict.RETRY), POLICY, now=NOW, chance=0.5)
    third = settled(a_row(failures=2), "", Delivery(Verdict.RETRY), POLICY, now=NOW, chance=0.5)
    asked = settled(a_row(), "", Delivery(Verdict.RETRY, retry_after=timedelta(hours=2)), POLICY, now=NOW, chance=0.5)
    assert (first.at, third.at, asked.at) == (
        NOW + timedelta(seconds=30), NOW + timedelta(seconds=120), NOW + timedelta(hours=2),
    )  # fmt: skip
    assert settled(a_row(failures=7), "", Delivery(Verdict.RETRY), POLICY, now=NOW, chance=0.5).state == "failed"


def test_what_is_known_of_an_address_is_kept() -> None:
    bounced = settled(
        a_row(), "a@example.org", Delivery(Verdict.REJECTED, address_is_dead=True), POLICY, now=NOW, chance=0
    )
    assert bounced.suppression == Suppression("hard bounce", "a@example.org")
    refused = settled(a_row(), "a@example.org", Delivery(Verdict.REJECTED), POLICY, now=NOW, chance=0)
    assert refused.suppression is None
    stopped = settled(a_row(), "+41", Delivery(Verdict.OPTED_OUT), POLICY, now=NOW, chance=0)
    assert stopped.suppression == Suppression("opted out", "+41")


@given(st.sampled_from(KINDS), st.integers(1, 9), st.sampled_from(["email", "sms", "slack", "discord"]))
def test_a_text_message_that_may_have_arrived_is_not_repeated_but_for_a_code_once(
    kind: str, attempts: int, channel: str
) -> None:
    row = a_row(kind=kind, attempts=attempts, channel=channel)
    again = channel != "sms" or (kind == "security" and attempts == 1)
    ambiguous = settled(row, "", Delivery(Verdict.UNKNOWN), POLICY, now=NOW, chance=0.5)
    assert ambiguous.state == interrupted(row, "cut short").state == ("pending" if again else "unknown")
    assert ambiguous.given_up != again


def test_what_was_not_sent_costs_nothing() -> None:
    for found in (
        given_back(a_row()),
        not_to_be_sent(a_row(), Later(NOW, "later")),
        not_to_be_sent(a_row(), Never("no")),
    ):
        assert found.unharmed
        assert not found.failed
        assert not found.given_up
