"""What wants a person's attention: in the ledger, queues and outbox. For `sexton status` and the dashboard."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from daemon import emergency, in_force, in_words, sql
from daemon.in_force import InForce
from daemon.job import OnEvent, Poll
from daemon.queue import WorkQueue
from daemon.schedule import OnDemand

QUEUES, TROUBLE, BACKUP, PAUSED_JOBS, STOPPED_JOBS, MESSAGES, DISABLED_CHANNELS = sql.load(
    __file__, "queues", "trouble", "backup", "paused_jobs", "stopped_jobs", "messages", "disabled_channels"
)
VERBS = {
    "failed": "failed for good",
    "held": "held for a person",
    "late": "ready, but not started",
    "missed": "missed",
}
LONGEST_WHY = 200
_UNTIMED = (Poll, OnEvent, OnDemand)


@dataclass(frozen=True, slots=True)
class Matter:
    """`name` is of a job, queue or channel, as `of` says, or "everything". `run` is the latest that it is about.
    `command` is what helps on a command line; a page has a button for it.
    """

    kind: str
    of: Literal["job", "queue", "channel", "all"]
    name: str
    text: str
    run: int | None = None
    command: str = ""

    @property
    def told(self) -> str:
        """For where nothing can be clicked."""
        return f"{self.text}; {self.command}" if self.command else self.text


@dataclass(frozen=True, slots=True)
class Depth:
    """Items of a queue by state, and how long the oldest has waited, in seconds."""

    ready: int
    running: int
    dead: int
    oldest_age_s: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Queues by name, messages by channel as `outbox` has them, and what is wrong with anything, the worst first."""

    queues: dict[str, Depth]
    messages: dict[str, dict[str, Any]]
    matters: list[Matter]


async def standing(
    connection: asyncpg.Connection, jobs: InForce, configured: Collection[str], now: datetime
) -> Standing:
    """How things stand. `configured`: the channels that messages can be sent through."""
    names = list(jobs.jobs)
    depths, broken = await queues(connection)
    messages = await outbox(connection)
    matters = [
        *await stop(connection), *await troubles(connection, names), *await backup(connection),
        *dead_items(depths), *broken,
        *undelivered(messages, configured), *await pauses(connection, names), *await never_due(connection, jobs, now),
    ]  # fmt: skip
    return Standing(depths, messages, matters)


async def stop(connection: asyncpg.Connection) -> list[Matter]:
    """An emergency stop that is in force."""
    return [
        Matter("stopped", "all", "everything", f"by {row['stopped_by']} since {in_words.moment(row['stopped_at'])}"
               + (f": {row['reason']}" if row["reason"] else ""), command="to end it: sexton resume-all")
        for row in await connection.fetch(emergency.IN_FORCE.text)
    ]  # fmt: skip


async def queues(connection: asyncpg.Connection) -> tuple[dict[str, Depth], list[Matter]]:
    """The depth of every queue a suite ever registered; one whose table is gone is a matter for attention."""
    depths: dict[str, Depth] = {}
    broken = []
    for row in await connection.fetch(QUEUES.text):
        if not row["there"]:
            text = "its table is not there: is its suite migrated?"
            broken.append(Matter("queue", "queue", row["name"], text))
            continue
        found = await connection.fetchrow(WorkQueue(row["name"], row["key"]).statements["depth"].text)
        assert found is not None
        depths[row["name"]] = Depth(found["ready"], found["running"], found["dead"], round(found["oldest_age_s"], 1))
    return depths, broken


async def troubles(connection: asyncpg.Connection, jobs: Sequence[str]) -> list[Matter]:
    """Runs that failed, are held, late or missed: one matter for each kind and job."""
    found = []
    for row in await connection.fetch(TROUBLE.text, jobs):
        many = f"{row['instants']:,} times, " if row["instants"] > 1 else ""
        why = f": {' '.join(row['why'].split())[:LONGEST_WHY]}" if row["why"] else ""
        text = f"{VERBS[row['kind']]}, {many}last due {in_words.moment(row['due_at'])}{why}"
        found.append(Matter(row["kind"], "job", row["job"], text, row["run"]))
    return found


async def backup(connection: asyncpg.Connection) -> list[Matter]:
    """That the last backup failed."""
    return [
        Matter("failed", "all", "backup", f"since {in_words.moment(row['opened_at'])}: "
               f"{' '.join(row['detail'].split())[:LONGEST_WHY]}")
        for row in await connection.fetch(BACKUP.text)
    ]  # fmt: skip


def dead_items(depths: dict[str, Depth]) -> list[Matter]:
    return [
        Matter("dead", "queue", name, f"{depth.dead:,} dead", command=f"to try them again: sexton retry {name} --all")
        for name, depth in depths.items()
        if depth.dead
    ]


async def pauses(connection: asyncpg.Connection, jobs: Sequence[str]) -> list[Matter]:
    return [
        Matter("paused", "job", r["name"], f"paused by {r['paused_by']} since {in_words.moment(r['paused_at'])}")
        for r in await connection.fetch(PAUSED_JOBS.text, jobs)
    ]


async def never_due(connection: asyncpg.Connection, jobs: InForce, now: datetime) -> list[Matter]:
    """Jobs that will not come, perhaps by mistake: a person disabled them, or their schedule names no instant."""
    stopped = {row["name"]: row for row in await connection.fetch(STOPPED_JOBS.text, list(jobs.jobs))}
    found = []
    for name, job in jobs.jobs.items():
        if (row := stopped.get(name)) is not None:
            text = f"disabled by {row['changed_by']} since {in_words.moment(row['changed_at'])}"
            found.append(Matter("disabled", "job", name, text))
        elif job.enabled and not isinstance(job.trigger, _UNTIMED) and not in_force.upcoming(job, now, 1):
            found.append(Matter("never", "job", name, f"never due again: {in_force.schedule_text(job)}"))
    return found


async def outbox(connection: asyncpg.Connection) -> dict[str, dict[str, Any]]:
    """{channel: {pending, sending, failed, unknown, oldest_age_s, disabled}} where there is something."""
    found: dict[str, Any] = {}
    for row in await connection.fetch(MESSAGES.text):
        counts = {state: row[state] for state in ("pending", "sending", "failed", "unknown")}
        found[row["channel"]] = {**counts, "oldest_age_s": round(max(row["oldest_age_s"], 0.0), 1), "disabled": None}
    for row in await connection.fetch(DISABLED_CHANNELS.text):
        nothing = dict.fromkeys(("pending", "sending", "failed", "unknown"), 0)
        found.setdefault(row["channel"], {**nothing, "oldest_age_s": 0.0})["disabled"] = row["disabled_reason"]
    return found


def undelivered(outbox: dict[str, dict[str, Any]], configured: Collection[str]) -> Iterator[Matter]:
    """What a person should know of the `outbox`."""
    for channel, of in outbox.items():
        if of["disabled"]:
            text = f"{of['disabled']}; put [{channel}] right and restart the daemon"
            yield Matter("disabled", "channel", channel, text)
        if of["pending"] and channel not in configured:
            text = f"{of['pending']} messages wait: [{channel}] is not configured"
            yield Matter("waiting", "channel", channel, text)
        if of["failed"]:
            text = f"{of['failed']} messages could not be sent in the last week"
            yield Matter("failed", "channel", channel, text)
        if of["unknown"]:
            text = f"{of['unknown']} messages of the last week may have arrived, and are not sent again"
            yield Matter("unknown", "channel", channel, text)
