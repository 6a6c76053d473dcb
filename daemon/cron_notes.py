"""What the nights the clocks change do to a cron schedule, as sentences for people. Nothing on ordinary days."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from zoneinfo import ZoneInfo

from daemon.cron import Firing, Table
from daemon.zones import DAY, abbreviation, clock, date_of, happens_again, repeated, shifts, wall


def note(table: Table, tz: ZoneInfo, firing: Firing) -> str | None:
    """What a clock change did to a firing; None on every ordinary day."""
    if table.interval:
        return _second_pass_note(tz, firing.at)
    reading = wall(tz, firing.at)
    lost = [slot for slot in firing.slots if slot < reading]
    if lost:
        return _gap_note(tz, firing.at, reading, lost, merged=firing.slots[-1] == reading)
    if happens_again(tz, firing.at, reading):
        return f"{clock(reading)} happens twice; runs at the first, {abbreviation(tz, firing.at)}"
    return None


def passed_over(table: Table, tz: ZoneInfo, after: int, until: int) -> list[str]:
    """A sentence for each clock set forward in (after, until] that leaves out slots of an interval table.

    Empty for all other tables: what a gap swallows of theirs runs after it, with a note.
    """
    if not table.interval:
        return []
    gaps = ((shift.at + shift.before, shift.at + shift.after) for shift in shifts(tz, after, until))
    lost = (_slots(table, first, end) for first, end in gaps)
    return [_passed_over(tz, slots) for slots in lost if slots]


def _slots(table: Table, first: int, end: int) -> list[int]:
    """The slots of the table in [first, end)."""

    def ascending() -> Iterator[int]:
        slot = table.after(first - 1)
        while slot is not None:
            yield slot
            slot = table.after(slot)

    return list(takewhile(lambda slot: slot < end, ascending()))


def _passed_over(tz: ZoneInfo, lost: Sequence[int]) -> str:
    one = len(lost) == 1
    same_day = lost[0] // DAY == lost[-1] // DAY
    names = _listed([clock(slot) if same_day else f"{date_of(slot)} {clock(slot)}" for slot in lost])
    night = f"on {date_of(lost[0])}, " if same_day else ""
    return f"{night}{names} {_missing(lost)} in {tz.key}; nothing runs for {'it' if one else 'them'}"


def _second_pass_note(tz: ZoneInfo, at: int) -> str | None:
    twice = repeated(tz, at)
    if twice is None:
        return None
    first, end = twice
    dated = [clock(slot) if end - first < DAY // 2 else f"{date_of(slot)} {clock(slot)}" for slot in twice]
    return f"second pass of {'–'.join(dated)}, in {abbreviation(tz, at)}"


def _gap_note(tz: ZoneInfo, at: int, reading: int, lost: Sequence[int], *, merged: bool) -> str:
    same_day = lost[0] // DAY == reading // DAY
    dated = [clock(slot) if same_day else f"{date_of(slot)} {clock(slot)}" for slot in (*lost, reading)]
    where = "on this night" if same_day else f"in {tz.key}"
    fate = "merged into the run" if merged else "run once" if len(lost) > 1 else "runs"
    target = f"{dated[-1]} {abbreviation(tz, at)}"
    return f"{_listed(dated[:-1])} {_missing(lost)} {where}; {fate} at {target}, the first valid instant"


def _missing(lost: Sequence[int]) -> str:
    return "do not exist" if len(lost) > 1 else "does not exist"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{names[0]} … {names[-1]} ({len(names)} times)"
