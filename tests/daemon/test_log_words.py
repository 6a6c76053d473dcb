"""Every kind of event has a sentence, a level and an area; what is silent is listed."""

from __future__ import annotations

import dataclasses
import sys
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest

from daemon import events
from daemon.doorkeeper import TurnedAway
from daemon.events import Event, HookAnswered, InstantsSettled, ItemsFinished, LoopLagged, Note, RunEnded, WorkerExited
from daemon.log_words import words

SILENT: set[type[Event]] = {HookAnswered, TurnedAway}
"""Counted by the metrics: strangers decide how many there are."""
SAMPLES: dict[Any, Any] = {
    str: "text", int: 3, float: 1.5, bool: True, datetime: datetime(2026, 3, 1, tzinfo=UTC),
    tuple[str, ...]: ("a", "b"),
}  # fmt: skip
DUE = SAMPLES[datetime]


def every_kind() -> list[type[Event]]:
    """All subclasses; a class that `slots=True` has replaced by another of its name is none."""
    kinds = (k for k in Event.__subclasses__() if getattr(sys.modules[k.__module__], k.__name__, None) is k)
    return sorted(kinds, key=lambda kind: kind.__name__)


def sample(kind: type[Event]) -> Event:
    hints = get_type_hints(kind, vars(events))
    values = {f.name: SAMPLES.get(hints[f.name]) for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**values)


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.__name__)
def test_every_event_is_a_frozen_value_with_words_of_its_own(kind: type[Event]) -> None:
    event = sample(kind)
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        event.anything = 1  # type: ignore[attr-defined]
    said = words(event)
    assert (said is None) == (kind in SILENT)
    if said is not None:
        assert said.level in {"debug", "info", "warning", "error"}
        assert said.area in {"SCHEDULED", "DATABASE", "INGESTION", "DELIVERY", "text"}
        assert said.text
        assert not {"event", "area", "level", "timestamp"} & set(said.fields)


def test_an_event_nobody_knows_is_silent_and_harmless() -> None:
    assert words(Event()) is None


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        ("succeeded", "info"), ("retrying", "warning"), ("failed", "error"), ("timed out", "error"),
        ("interrupted", "warning"), ("cancelled", "warning"), ("fenced", "warning"), ("database lost", "warning"),
    ],
)  # fmt: skip
def test_how_loud_an_end_is_depends_on_whether_a_person_must_act(outcome: str, level: str) -> None:
    said = words(RunEnded(7, "tea.brew", outcome, 1.23456, "why", None, 30.04))
    assert said is not None
    assert (said.level, said.text) == (level, f"tea.brew {outcome}")
    assert said.fields["seconds"] == 1.235
    assert ("retry_in_s" in said.fields) == (outcome == "retrying")


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        (InstantsSettled("t.a", "skipped", 1, DUE, "paused by asha"), "info", "t.a: instant skipped: paused by asha"),
        (InstantsSettled("t.a", "missed", 9, DUE, "too late"), "warning", "t.a: 9 instants missed: too late"),
        (InstantsSettled("t.a", "held", 2, DUE, "a backlog"), "warning", "t.a: 2 instants held: a backlog"),
        (ItemsFinished("t.q", 3, 0, 0), "debug", "t.q: saved 3"),
        (ItemsFinished("t.q", 3, 1, 0), "info", "t.q: saved 3"),
        (LoopLagged(2.04, "stack", 7), "error", "event loop blocked for 2.0 s"),
        (WorkerExited(9, "killed", ""), "warning", "worker 9: killed"),
        (Note("DATABASE", "x", warning=True), "warning", "x"),
    ],
)
def test_the_wording_of_what_people_read_most(event: Event, level: str, text: str) -> None:
    said = words(event)
    assert said is not None
    assert (said.level, said.text) == (level, text)
