"""`sexton status` for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from daemon import in_words
from daemon.cli import output


def print_status(status: dict[str, Any]) -> None:
    """`status` is the JSON form. Sections that have nothing to say are left out, but for attention."""
    print(f"sexton {status['version']}: {'ready' if status['ready'] else 'not ready'}")
    print(f"database: {status['database']}")
    for heading, lines in (
        ("nodes", _nodes(status)),
        ("queues", _queues(status)),
        ("messages", _messages(status)),
        ("next due", _due(status)),
    ):
        if lines[1]:
            print(f"\n{heading}")
            output.table(*lines)
    attention = status["attention"]
    print("\nattention" if attention else "\nnothing wants attention")
    if attention:
        rows = [
            (
                a["kind"],
                a.get("job") or a.get("queue") or a.get("channel") or a["all"],
                str(a["run"] or ""),
                a["text"],
            )
            for a in attention
        ]
        output.table(("kind", "of", "run", "what"), rows)


Table = tuple[tuple[str, ...], Sequence[Sequence[str]]]


def _nodes(status: dict[str, Any]) -> Table:
    rows = []
    for node in status["nodes"]:
        pool, lag = node["pool"], node["loop_lag_ms"]
        rows.append(
            (
                node["name"],
                "alive" if node["alive"] else "dead",
                in_words.duration(node["uptime_s"]),
                _running(node["running"]),
                f"{pool['busy']}/{pool['size']}" if pool else in_words.NOTHING,
                in_words.NOTHING if lag is None else f"{lag:g} ms",
            )
        )
    return ("node", "state", "up", "running", "workers busy", "loop lag"), rows


def _running(runs: list[dict[str, Any]]) -> str:
    shown = [
        f"{run['job']} ({run['done']:g}/{run['total']:g})" if run.get("total") else str(run["job"]) for run in runs[:5]
    ]
    more = f" and {len(runs) - 5} more" if len(runs) > 5 else ""
    return (output.listed(shown) + more) or "nothing"


def _queues(status: dict[str, Any]) -> Table:
    rows = [
        (name, str(q["ready"]), str(q["running"]), str(q["dead"]),
         in_words.duration(q["oldest_age_s"]) if q["ready"] else in_words.NOTHING)
        for name, q in status["queues"].items()
    ]  # fmt: skip
    return ("queue", "waiting", "at work", "given up", "oldest"), rows


def _messages(status: dict[str, Any]) -> Table:
    rows = [
        (channel, str(m["pending"]), str(m["sending"]), str(m["failed"]), str(m["unknown"]),
         in_words.duration(m["oldest_age_s"]) if m["oldest_age_s"] else in_words.NOTHING)
        for channel, m in status["outbox"].items()
    ]  # fmt: skip
    return ("channel", "waiting", "being sent", "given up", "unknown", "oldest"), rows


def _due(status: dict[str, Any]) -> Table:
    rows = []
    for due in status["next_due"]:
        at = datetime.fromisoformat(due["due_at"])
        rows.append((f"{at:%Y-%m-%d %H:%M:%S %z}", due["job"]))
    return ("at", "job"), rows
