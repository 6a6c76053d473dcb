"""What every reminder job does at a tick: which slots have come, whom they are for, and a statement that writes, for so
many people at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from daemon import Context, Transaction, sql, tally
from workers.productivity import many_people
from workers.productivity.settings import ReminderSettings, Settings
from workers.productivity.slots import Clocks, Rule, Slot, slots, unknown_zones

ZONES, SERVED_BEFORE, BATCH_ENDS, NOTE = sql.load(__file__, "zones", "served_before", "batch_ends", "note")

AT_ONCE = 50_000
"""People that one transaction is about. Their mails go out while the next are written; a try that is stopped loses no
more than that."""
NOBODY, EVERYBODY = -(1 << 63), (1 << 63) - 1
"""Ids before and behind all people's."""

AT_LEAST = timedelta(hours=1)
"""For which a mail is worth sending, however late its slot was served."""
Details = Callable[[Slot, ReminderSettings], Mapping[str, Any]]


def no_details(_slot: Slot, _settings: ReminderSettings) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Reminder:
    """One kind of reminder. `details`: what its statement has to know of a slot, beside the people's zone, the date,
    the due instant and until when the mail is worth sending (`worth_for` after that instant).

    The statement's parameters are the slots, now, where the pages are, how many goals a mail lists, the slots' zones,
    and the ids after which and to which people are looked at; it answers with `sent`, the mails it left, and
    `suppressed`, people by the reason why they get none.
    """

    kind: str
    write: sql.Statement
    worth_for: timedelta
    details: Details = no_details


@dataclass(frozen=True, slots=True)
class Tick:
    """What has come. `served`: of slots that are sent, what statements take; `again`: those of them that were served
    before, and are looked at for who moved. `began`: when the first try of the run did."""

    reminder: Reminder
    due: Sequence[Slot]
    served: Sequence[dict[str, Any]]
    again: Sequence[dict[str, Any]]
    settings: Settings
    began: datetime
    now: datetime


async def remind(ctx: Context, reminder: Reminder, rule: Rule) -> None:
    """Deal with every slot that has come: so many people in a transaction with the messages and the log of who got
    them, and the slots noted with the last of them.

    A later try goes on after the people that an earlier one dealt with, with the slots that had come then; whether they
    are too late is judged anew.
    """
    settings: Settings = ctx.settings
    now = ctx.now()
    began, after = begun(ctx, now)
    people, clocks = await zones_with_people(ctx, reminder.kind)
    due = [slot for slot in slots(rule, people, clocks, now) if slot.due_at <= began]
    if unknown := unknown_zones([slot.zone for slot in due if not slot.again], clocks):
        ctx.log.warning(
            "%d time zones of people do not exist, and %s stands for them: %s",
            len(unknown), clocks.default, ", ".join(repr(zone) for zone in unknown[:10]),
        )  # fmt: skip
    tick = tick_of(reminder, due, settings, began, now)
    for end in [end for end in await batch_ends(ctx, tick.served) if end > after]:
        async with ctx.transaction(cursor=[began.isoformat(), end]) as tx:
            await tx.execute(many_people.SET_UP)
            for what, number in (await write(tx, tick, tick.served, after, end)).items():
                await tally.add(tx, ctx.run_id, what, number)
        after = end
    async with ctx.completing() as tx:
        told = Counter(await tally.take(tx, ctx.run_id, ()))
        tx.result(counted(due, told + await serve(tx, tick, after)))


def begun(ctx: Context, now: datetime) -> tuple[datetime, int]:
    """When the first try of the run began, and after whom this one goes on."""
    if ctx.cursor is None:
        return now, NOBODY
    at, last = ctx.cursor
    return datetime.fromisoformat(at), last


async def zones_with_people(ctx: Context, kind: str) -> tuple[dict[str, date | None], Clocks]:
    """Zone → the last date dealt with there, and whose clocks count."""
    settings: Settings = ctx.settings
    async with ctx.snapshot() as reader:
        people = {row["zone"]: row["last"] for row in await reader.fetch(ZONES, kind)}
    return people, Clocks(settings.reminders.default_timezone, settings.reminders.timezone)


def tick_of(reminder: Reminder, due: Sequence[Slot], settings: Settings, began: datetime, now: datetime) -> Tick:
    """PURE."""
    sent = [slot for slot in due if slot.skipped is None]
    served = [
        {
            **noted(slot),
            "since": "-infinity",
            "expires_at": max(slot.due_at + reminder.worth_for, now + AT_LEAST),
            **details,
        }
        for slot, details in zip(sent, details_of(reminder, sent, settings.reminders), strict=True)
    ]
    new, again = ([slot for slot in served if slot["again"] is of] for of in (False, True))
    return Tick(reminder, due, new, again, settings, began, now)


async def batch_ends(ctx: Context, served: Sequence[dict[str, Any]]) -> list[int]:
    """With whom each full batch of the slots' people ends; whoever comes after them is left to the last transaction."""
    if not served:
        return []
    async with ctx.snapshot() as reader:
        return [row["id"] for row in await reader.fetch(BATCH_ENDS, zones_of(served), AT_ONCE)]


async def serve(tx: Transaction, tick: Tick, after: int = NOBODY) -> Counter[str]:
    """Leave the mails of whoever comes after `after`, and of who moved; note the slots as dealt with. Returns what
    `write` does."""
    told = Counter[str]()
    if tick.served:
        await tx.execute(many_people.SET_UP)
        told += await write(tx, tick, tick.served, after, EVERYBODY)
    if moved := await looked_at_again(tx, tick):
        await tx.execute(many_people.SET_UP_FOR_FEW)
        told += await write(tx, tick, moved, NOBODY, EVERYBODY)
    if new := [noted(slot) for slot in tick.due if not slot.again]:
        await tx.execute(NOTE, tick.reminder.kind, json.dumps(new), tick.began)
    return told


async def looked_at_again(tx: Transaction, tick: Tick) -> list[dict[str, Any]]:
    """Slots that were served before, with since when somebody must have come to the zone."""
    if not tick.again:
        return []
    rows = await tx.fetch(SERVED_BEFORE, tick.reminder.kind, json.dumps(tick.again, default=as_json))
    since = {(row["zone"], row["local_date"].isoformat()): row["since"] for row in rows}
    of = [(slot, since.get((slot["zone"], slot["date"]))) for slot in tick.again]
    return [{**slot, "since": at} for slot, at in of if at is not None]


async def write(tx: Transaction, tick: Tick, of: Sequence[dict[str, Any]], after: int, upto: int) -> Counter[str]:
    """Leave the mails of the slots' people with ids in (after, upto]. Returns mails as `sent`, and people by the reason
    why they get none."""
    settings = tick.settings
    row = await tx.fetchrow(
        tick.reminder.write, json.dumps(of, default=as_json), tick.now, settings.frontend_url,
        settings.reminders.goals_listed, zones_of(of), after, upto,
    )  # fmt: skip
    assert row is not None
    return Counter({"sent": row["sent"], **json.loads(row["suppressed"])})


def zones_of(served: Sequence[dict[str, Any]]) -> list[str]:
    return sorted({slot["zone"] for slot in served})


def counted(due: Sequence[Slot], told: Counter[str]) -> dict[str, Any]:
    """PURE: what came of it, in numbers."""
    return {
        "slots": sum(not slot.again for slot in due if slot.skipped is None),
        "skipped_slots": sum(slot.skipped is not None for slot in due),
        "sent": told["sent"],
        "suppressed": {reason: people for reason, people in told.items() if reason != "sent"},
    }


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
