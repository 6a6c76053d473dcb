"""What every reminder job does at a tick: which slots have come, whom they are for, and one statement that writes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from daemon import Context, Transaction, sql
from workers.productivity import many_people
from workers.productivity.settings import ReminderSettings, Settings
from workers.productivity.slots import Clocks, Rule, Slot, slots, unknown_zones

ZONES, OPEN = sql.load(__file__, "zones", "open")

AT_LEAST = timedelta(hours=1)
"""For which a mail is worth sending, however late its slot was served."""
Details = Callable[[Slot, ReminderSettings], Mapping[str, Any]]


def no_details(_slot: Slot, _settings: ReminderSettings) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Reminder:
    """One kind of reminder. `details`: what its statement has to know of a slot, beside the people's zone, the date,
    the due instant and until when the mail is worth sending (`worth_for` after that instant).

    The statement's parameters are the slots, now, where the pages are, and how many goals a mail lists; it answers
    with `sent`, the mails it left, and `suppressed`, people by the reason why they get none.
    """

    kind: str
    write: sql.Statement
    worth_for: timedelta
    details: Details = no_details


async def remind(ctx: Context, reminder: Reminder, rule: Rule) -> None:
    """Deal with every slot that has come, in one transaction with the messages and the log of who got them."""
    settings: Settings = ctx.settings
    now = ctx.now()
    people, clocks = await zones_with_people(ctx, reminder.kind)
    due = slots(rule, people, clocks, now)
    if unknown := unknown_zones([slot.zone for slot in due if not slot.again], clocks):
        ctx.log.warning(
            "%d time zones of people do not exist, and %s stands for them: %s",
            len(unknown), clocks.default, ", ".join(repr(zone) for zone in unknown[:10]),
        )  # fmt: skip
    async with ctx.completing() as tx:
        tx.result(await serve(tx, reminder, due, settings, now))


async def zones_with_people(ctx: Context, kind: str) -> tuple[dict[str, date | None], Clocks]:
    """Zone → the last date dealt with there, and whose clocks count."""
    settings: Settings = ctx.settings
    async with ctx.snapshot() as reader:
        people = {row["zone"]: row["last"] for row in await reader.fetch(ZONES, kind)}
    return people, Clocks(settings.reminders.default_timezone, settings.reminders.timezone)


async def serve(
    tx: Transaction, reminder: Reminder, due: list[Slot], settings: Settings, now: datetime
) -> dict[str, Any]:
    """Note the slots, and leave the mails of those that are sent. Returns what came of it, in numbers."""
    counts: dict[str, Any] = {"slots": 0, "skipped_slots": 0, "sent": 0, "suppressed": {}}
    if not due:
        return counts
    since = {
        (row["zone"], row["local_date"]): row["since"]
        for row in await tx.fetch(OPEN, reminder.kind, json.dumps([noted(slot) for slot in due]), now)
    }
    open_slots = [slot for slot in due if slot.skipped is None and (slot.zone, slot.date) in since]
    served = [
        {
            **noted(slot),
            "since": since[slot.zone, slot.date],
            "expires_at": max(slot.due_at + reminder.worth_for, now + AT_LEAST),
            **details,
        }
        for slot, details in zip(open_slots, details_of(reminder, open_slots, settings.reminders), strict=True)
    ]
    counts["slots"] = sum(not slot.again for slot in due if slot.skipped is None)
    counts["skipped_slots"] = sum(slot.skipped is not None for slot in due)
    moved, everybody = [s for s in served if s["again"]], [s for s in served if not s["again"]]
    told: Counter[str] = Counter()
    for of, set_up in ((everybody, many_people.SET_UP), (moved, many_people.SET_UP_FOR_FEW)):
        if of:
            await tx.execute(set_up)
            row = await tx.fetchrow(
                reminder.write, json.dumps(of, default=as_json), now, settings.frontend_url,
                settings.reminders.goals_listed,
            )  # fmt: skip
            assert row is not None
            counts["sent"] += row["sent"]
            told.update(json.loads(row["suppressed"]))
    counts["suppressed"] = dict(told)
    return counts


def details_of(reminder: Reminder, of: Sequence[Slot], settings: ReminderSettings) -> Iterator[Mapping[str, Any]]:
    """PURE. Worked out once a clock: with one for everybody hundreds of zones have the same, and the loop waits."""
    known: dict[tuple[str, date], Mapping[str, Any]] = {}
    for slot in of:
        of_clock = slot.clock.key, slot.date
        if of_clock not in known:
            known[of_clock] = reminder.details(slot, settings)
        yield known[of_clock]


def noted(slot: Slot) -> dict[str, Any]:
    return {
        "zone": slot.zone, "date": slot.date.isoformat(), "due_at": slot.due_at.isoformat(), "skipped": slot.skipped,
        "again": slot.again,
    }  # fmt: skip


def as_json(value: Any) -> str:
    return str(value.isoformat())
