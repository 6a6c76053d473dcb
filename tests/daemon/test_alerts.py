"""Which events are alerts, how they become one, and who is told what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import events as e
from daemon.alerts import APART, LISTED, Receiver, Trouble, headline, notices, remedy, together, trouble_of
from daemon.letters import Letters, template_folders
from daemon.outbox import OutboxRow

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAIL, CHAT = Receiver("email", "ada@example.org"), Receiver("slack")


def row(kind: str = "failed", subject: str = "tea.brew", **columns: Any) -> dict[str, Any]:
    usual = {"detail": "ValueError: cold", "run": 7, "opened_at": NOW, "last_at": NOW, "count": 1, "told_count": 0,
             "now": NOW + timedelta(seconds=5)}  # fmt: skip
    return {"key": f"{kind}:{subject}", "kind": kind, "subject": subject, **usual, **columns}


@pytest.mark.parametrize(
    ("event", "kind", "subject", "count"),
    [
        (e.RunEnded(7, "tea.brew", "failed", 1.0, "ValueError: cold"), "failed", "tea.brew", 1),
        (e.RunEnded(7, "tea.brew", "timed out", 1.0, "timed out after 5 s"), "failed", "tea.brew", 1),
        (e.RunEnded(7, "tea.brew", "held", 1.0, "ask somebody"), "held", "tea.brew", 1),
        (e.RunGivenUp(7, "tea.brew", "the node died 6 times"), "failed", "tea.brew", 1),
        (e.RunForsaken(7, "tea.brew", 10.0, "stack"), "forsaken", "tea.brew", 1),
        (e.InstantsSettled("tea.brew", "held", 3, NOW, "paused by ada"), "held", "tea.brew", 3),
        (e.InstantsSettled("tea.brew", "missed", 2, NOW, "too late"), "missed", "tea.brew", 2),
        (e.ItemDied("tea.leaves", 4, "mouldy"), "dead", "tea.leaves", 1),
        (e.ChannelDown("email", "refused", 5.0), "away", "email", 1),
        (e.ChannelDisabled("slack", "404"), "away", "slack", 1),
        (e.BackupFailed("the disk is full"), "backup", "backup", 1),
    ],
)
def test_what_somebody_must_know(event: e.Event, kind: str, subject: str, count: int) -> None:
    trouble = trouble_of(event, NOW)
    assert trouble is not None
    assert (trouble.kind, trouble.subject, trouble.count, trouble.first_at) == (kind, subject, count, NOW)
    assert trouble.key == f"{kind}:{subject}"
    assert subject in headline(kind, subject)
    assert remedy(kind, subject, trouble.run)


@pytest.mark.parametrize(
    "event",
    [
        e.RunEnded(7, "tea.brew", "succeeded", 1.0),
        e.RunEnded(7, "tea.brew", "retrying", 1.0, "ValueError", None, 30.0),
        e.RunEnded(7, "tea.brew", "failed", 1.0, "ValueError", None, 30.0),
        e.RunEnded(7, "tea.brew", "cancelled", 1.0, "cancelled by ada"),
        e.RunEnded(7, "tea.brew", "interrupted", 1.0, "stopped by SIGTERM"),
        e.InstantsSettled("tea.brew", "skipped", 2, NOW, "coalesced"),
        e.ChannelBack("email", 3.0),
        e.BackupMade("20261126T030000Z", 1000, True),
        e.DatabaseLost("refused"),
        e.Note("SCHEDULED", "text", warning=True),
    ],
)
def test_what_mends_itself_is_no_alert(event: e.Event) -> None:
    assert trouble_of(event, NOW) is None


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 50)), min_size=1))
def test_many_of_one_key_are_one_with_their_sum_and_their_span(given: list[tuple[int, int]]) -> None:
    whole: Trouble | None = None
    for minute, count in given:
        at = NOW + timedelta(minutes=minute)
        whole = together(whole, Trouble("missed", "tea.brew", f"at {minute}", None, at, at, count))
    assert whole is not None
    assert whole.count == sum(count for _, count in given)
    assert whole.first_at == NOW + timedelta(minutes=min(minute for minute, _ in given))
    assert whole.detail == f"at {given[-1][0]}"


def test_a_long_error_is_cut() -> None:
    trouble = trouble_of(e.ItemDied("tea.leaves", 4, "x" * 5000), NOW)
    assert trouble is not None
    assert len(trouble.detail) == 500


def test_everybody_gets_a_message_for_each_trouble() -> None:
    made = notices("alert", [row(), row("missed")], [MAIL, CHAT], "node-a")
    assert [(n.receiver, n.data["alerts"][0]["headline"]) for n in made] == [
        (MAIL, "tea.brew failed for good"), (MAIL, "tea.brew was missed"),
        (CHAT, "tea.brew failed for good"), (CHAT, "tea.brew was missed"),
    ]  # fmt: skip
    assert len({n.dedupe_key for n in made}) == 4


def test_several_kinds_of_one_job_are_one_recovery() -> None:
    (made,) = notices("recovered", [row(), row("missed")], [MAIL], "node-a")
    assert len(made.data["alerts"]) == 2


def test_a_channel_that_is_away_is_not_told_of_itself() -> None:
    made = notices("alert", [row("away", "email")], [MAIL, CHAT], "node-a")
    assert [n.receiver for n in made] == [CHAT]


@given(st.integers(0, 200))
def test_a_common_trouble_is_one_message(count: int) -> None:
    made = notices("alert", [row(subject=f"tea.job_{i}") for i in range(count)], [MAIL], "node-a")
    assert len(made) == (count if count <= APART else 1)
    assert sum(len(n.data["alerts"]) + n.data["more"] for n in made) == count
    assert all(len(n.data["alerts"]) <= LISTED for n in made)


def test_the_same_news_has_the_same_key_on_every_node_and_later_news_another() -> None:
    (one,), (other,) = notices("alert", [row()], [MAIL], "node-a"), notices("alert", [row()], [MAIL], "node-b")
    (later,) = notices("alert", [row(now=NOW + timedelta(hours=1))], [MAIL], "node-a")
    assert one.dedupe_key == other.dedupe_key != later.dedupe_key


@pytest.mark.parametrize("channel", ["email", "slack"])
@pytest.mark.parametrize("template", ["alert", "recovered"])
@pytest.mark.parametrize("count", [1, 3, 60])
def test_every_alert_renders(template: str, channel: str, count: int) -> None:
    receiver = MAIL if channel == "email" else CHAT
    rows = [row(subject=f"tea.job_{i}", count=4, detail="" if i else "ValueError: <cold>") for i in range(count)]
    letters = Letters(template_folders({}), lambda suite, recipient, channel: "https://example.org/u/token")
    assert not letters.missing("", template, channel)
    message = notices(template, rows, [receiver], "node-a")[0]
    rendered = letters.rendered(
        OutboxRow(
            id=1, token=1, suite="", recipient=None, address=receiver.address, channel=channel, template=template,
            data=message.data, kind="alert", dedupe_key=message.dedupe_key,
        ),
        None,
    )  # fmt: skip
    assert rendered.subject.startswith("Sexton: ")
    assert "tea.job_0 failed for good, 4 times, since 2026-11-22 12:00:00 UTC" in rendered.text
    assert ("https://example.org/u/token" in rendered.text) == (channel == "email")
    if count == 60:
        assert "60" in rendered.subject
        assert "10 more" in rendered.text
    elif template == "alert":
        assert rendered.subject == "Sexton: tea.job_0 failed for good (4 times)"
        assert "ValueError: <cold>" in rendered.text
        assert "sexton runs tea.job_0 --state failed; then sexton retry 7" in rendered.text
    else:
        assert rendered.subject == "Sexton: tea.job_0 is well again"


def test_the_templates_are_where_the_engine_looks() -> None:
    names = {path.name for path in (Path(template_folders({})[""])).iterdir()}
    assert names >= {"alert.subject.txt", "alert.txt", "recovered.subject.txt", "recovered.txt"}
