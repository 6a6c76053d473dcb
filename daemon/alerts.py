"""PURE: which events are troubles that somebody has to be told of, and what the messages about them say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from daemon import events as e

DETAIL_LENGTH = 500
APART = 10  # more at once become one message: the trouble is then a common one
LISTED = 50

FINAL_FAILURES = frozenset({"failed", "timed out"})
BACKUP = "backup"
OF_JOBS = frozenset({"failed", "forsaken", "held", "missed"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """`kind`: failed, forsaken, held, missed of a job; dead of a queue; away of a channel; backup. `count` of them."""

    kind: str
    subject: str
    detail: str
    run: int | None
    first_at: datetime
    last_at: datetime
    count: int = 1

    @property
    def key(self) -> str:
        return key_of(self.kind, self.subject)


def key_of(kind: str, subject: str) -> str:
    return f"{kind}:{subject}"


def trouble_of(event: e.Event, now: datetime) -> Trouble | None:
    """What somebody must know; None for everything else, tries that are repeated included."""

    def made(kind: str, subject: str, detail: str, run: int | None = None, count: int = 1) -> Trouble:
        return Trouble(kind, subject, detail[:DETAIL_LENGTH], run, now, now, count)

    match event:
        case e.RunEnded(run, job, outcome, _, error, _, None) if outcome in FINAL_FAILURES:
            return made("failed", job, error or outcome, run)
        case e.RunEnded(run, job, "held", _, error):
            return made("held", job, error or "", run)
        case e.RunGivenUp(run, job, reason):
            return made("failed", job, reason, run)
        case e.RunForsaken(run, job):
            return made("forsaken", job, "told to end, it runs on; its end is recorded without it", run)
        case e.InstantsSettled(job, ("held" | "missed") as state, count, _, reason):
            return made(state, job, reason, count=count)
        case e.ItemDied(queue, key, error):
            return made("dead", queue, f"item {key}: {error}")
        case e.ChannelDown(channel, error) | e.ChannelDisabled(channel, error):
            return made("away", channel, error)
        case e.BackupFailed(error):
            return made("backup", BACKUP, error)
    return None


def together(earlier: Trouble | None, later: Trouble) -> Trouble:
    """Two of one key as one, in the later one's words."""
    if earlier is None:
        return later
    return replace(later, first_at=min(earlier.first_at, later.first_at), count=earlier.count + later.count)


@dataclass(frozen=True, slots=True)
class Receiver:
    """`address` is empty for a chat channel: it has one target."""

    channel: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A row for the outbox. Two nodes that make the same one make the same `dedupe_key`."""

    receiver: Receiver
    template: str
    data: Mapping[str, Any]
    dedupe_key: str


Row = Mapping[str, Any]


def notices(template: str, rows: Sequence[Row], receivers: Iterable[Receiver], node: str) -> list[Notice]:
    """The messages about rows of `sexton.alert`. `template`: alert, or recovered.

    Several kinds of one subject are one recovery. Nothing is told of a channel through that channel.
    """
    made = []
    for receiver in receivers:
        told = [row for row in rows if reaches(receiver, row)]
        for group in _grouped(template, told):
            data = {
                "alerts": [_shown(row) for row in group[:LISTED]],
                "more": max(len(group) - LISTED, 0),
                "node": node,
            }
            made.append(Notice(receiver, template, data, _dedupe_key(template, receiver, group)))
    return made


def reaches(receiver: Receiver, row: Row) -> bool:
    return not (row["kind"] == "away" and row["subject"] == receiver.channel)


def _grouped(template: str, rows: Sequence[Row]) -> list[Sequence[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["subject"] if template == "recovered" else row["key"], []).append(row)
    if len(groups) > APART:
        return [rows]
    return list(groups.values())


def _dedupe_key(template: str, receiver: Receiver, rows: Sequence[Row]) -> str:
    about = [f"{row['key']} {row['opened_at'].isoformat()} {row['count']}" for row in rows]
    parts = [template, receiver.channel, receiver.address, rows[0]["now"].isoformat(), *about]
    return f"sexton.{template}:{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()}"


def _shown(row: Row) -> dict[str, Any]:
    return {
        "subject": row["subject"], "headline": headline(row["kind"], row["subject"]), "count": row["count"],
        "detail": row["detail"], "remedy": remedy(row["kind"], row["subject"], row["run"]),
        "since": f"{row['opened_at']:%Y-%m-%d %H:%M:%S} UTC", "until": f"{row['now']:%Y-%m-%d %H:%M:%S} UTC",
    }  # fmt: skip


def headline(kind: str, subject: str) -> str:
    words = {
        "failed": "failed for good", "forsaken": "does not end", "held": "is held until somebody decides",
        "missed": "was missed", "dead": "has dead items", "away": "is away: its messages wait",
        "backup": "failed",
    }  # fmt: skip
    return f"{subject} {words[kind]}"


def remedy(kind: str, subject: str, run: int | None) -> str:
    """The commands that lead on."""
    which = "RUN" if run is None else str(run)
    words = {
        "failed": f"sexton runs {subject} --state failed; then sexton retry {which}",
        "forsaken": "its body ignores its cancellation: its stack is in the log; a restart ends it",
        "held": f"sexton runs {subject} --state held; then sexton release {which}, or sexton waive {which}",
        "missed": f"sexton runs {subject} --state missed; then sexton retry {which}, where it is still wanted",
        "dead": f"sexton status; then sexton retry {subject} KEY, or --all",
        "away": f"look after the service behind [{subject}]; it is tried again by itself, and after a restart",
        "backup": "remove the cause; then sexton backup create. What is there: sexton backup list",
    }
    return words[kind]
