"""Nodes as an operator wants to see them: who lives, who died, and not every life of one that was restarted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from daemon.admin.dashboard.node_page import to_show

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


def row(name: str, age: int, reason: str | None = None) -> Any:
    """A life that began so many minutes ago; with a reason it is over."""
    began = NOW - timedelta(minutes=age)
    return {
        "incarnation": uuid4(), "name": name, "version": "1", "started_at": began, "lease_until": began,
        "dead_at": began if reason else None, "dead_reason": reason, "alive": reason is None, "status_at": None,
        "status": None,
    }  # fmt: skip


def told(*rows: Any) -> list[tuple[str, str | None, int]]:
    return [(shown.node.name, shown.node.dead_reason, shown.earlier) for shown in to_show(rows)]


def test_a_node_that_was_restarted_is_there_once_with_how_often() -> None:
    lives = [row("a", 1), *(row("a", age, "restarted") for age in range(2, 40)), row("a", 50, "stopped")]
    assert told(*lives) == [("a", None, 39)]


def test_a_node_that_stopped_and_did_not_come_back_is_still_there() -> None:
    assert told(row("a", 1), row("b", 5, "stopped"), row("b", 9, "restarted")) == [
        ("a", None, 0), ("b", "stopped", 1)
    ]  # fmt: skip


def test_one_that_died_is_never_left_out() -> None:
    lost = "lease ran out: rescued by a"
    assert told(row("a", 1), row("a", 9, lost), row("b", 5, lost)) == [("a", None, 0), ("a", lost, 0), ("b", lost, 0)]
