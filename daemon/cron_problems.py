"""What is wrong or surprising in a cron expression, told with its place, its value and the remedy."""

import datetime as dt
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal
from zoneinfo import available_timezones

from daemon import cron, zones

DAY_OF_MONTH, MONTH, WEEKDAY = 2, 3, 4
_STEP = re.compile(r"(?P<low>\*|\w+)(?:-(?P<high>\w+))?/(?P<step>\d+)")
_RANGE = re.compile(r"(?P<low>\w+)-(?P<high>\w+)(?P<step>/\d+)?")
_HASH = re.compile(r"[hr](\(.*\))?(/\d+)?")
_NEAREST = re.compile(r"\d+w|w\d+")
_NTH = re.compile(r"[\w-]+#\w+|l\d")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error refuses the schedule at start; a warning is printed and the schedule runs as it says."""

    severity: Literal["error", "warning"]
    message: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the expression: its text as written, in lower case, and the values its place allows."""

    place: str
    unit: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    text: str = "*"

    @property
    def free(self) -> bool:
        return self.text in ("*", "?")

    def tokens(self) -> list[str]:
        return self.text.split(",")

    def __str__(self) -> str:
        return f'{self.place} "{self.text}"'

    def number(self, word: str) -> int | None:
        """The value of a number or name; None if it is neither."""
        if word in self.names:
            return self.low + self.names.index(word)
        return int(word) if word.isdecimal() else None


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    Field("minute", "minutes", 0, 59),
    Field("hour", "hours", 0, 23),
    Field("day-of-month", "days", 1, 31),
    Field("month", "months", 1, 12, _MONTHS),
    Field("weekday", "days", 0, 6, _DAYS),
    Field("second", "seconds", 0, 59),
)


def cron_problems(expression: str, tz: str) -> list[Problem]:
    """Every error, and the warnings where the expression can be read, of a canonical expression in a zone."""
    found = list(_zone_errors(tz)) + list(_errors(expression))
    if not any(problem.severity == "error" for problem in found):
        found += list(_warnings(fields_of(expression)))
    return found


def fields_of(expression: str) -> list[Field]:
    """The fields in croniter's order, seconds last."""
    words = expression.lower().split()
    return [replace(field, text=text) for field, text in zip(_FIELDS, words, strict=False)]


def _error(message: str) -> Problem:
    return Problem("error", message)


def _zone_errors(tz: str) -> Iterator[Problem]:
    try:
        zones.zone(tz)
    except ValueError as error:
        yield _error(f"{error}{_nearest_zone(tz)}")


def _nearest_zone(tz: str) -> str:
    """A hint; matches the city alone too, because that is what people write."""
    known: dict[str, str] = {}
    for name in sorted(available_timezones()):
        known.setdefault(name.rpartition("/")[2].casefold(), name)
        known[name.casefold()] = name
    close = difflib.get_close_matches(tz.casefold(), known, n=1, cutoff=0.75)
    return f'; did you mean "{known[close[0]]}"?' if close else "; give an IANA name such as Asia/Kolkata"


def _errors(expression: str) -> Iterator[Problem]:
    if expression.startswith("@"):
        close = difflib.get_close_matches(expression, cron.ALIASES, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"known are {', '.join(cron.ALIASES)}"
        yield _error(f'"{expression}" is not a known name; {hint}')
        return
    if (size := len(expression.split())) not in (5, 6):
        yield _error(f'"{expression}" has {size} fields; give five, or six with the seconds last')
        return
    fields = fields_of(expression)
    refused = [problem for field in fields for problem in _token_errors(field)]
    yield from refused or _unreadable(fields) or _impossible(expression, fields)


def _token_errors(field: Field) -> Iterator[Problem]:
    """What croniter would accept and take for something else."""
    for token in field.tokens():
        if _HASH.fullmatch(token):
            yield _error(
                f'{field.place} "{token}": H and R pick a value by themselves; '
                "write the value, or use Every, which spreads jobs"
            )
        elif span := _RANGE.fullmatch(token):
            yield from _range_errors(field, token, span)


def _range_errors(field: Field, token: str, span: re.Match[str]) -> Iterator[Problem]:
    low, high = field.number(span["low"]), field.number(span["high"])
    if low is None or high is None or token.startswith("0-7"):
        return
    size = 7 if field.place == "weekday" else 100
    if low % size == high % size:
        yield _error(
            f'{field.place} "{token}": a range from a value to itself means the whole field; '
            f'write "{span["low"]}" for one value or "*" for all'
        )
    elif low > high % size and span["step"]:
        yield _error(f'{field.place} "{token}": a range that wraps round cannot have a step; list the values')


def _unreadable(fields: list[Field]) -> list[Problem]:
    """The fields that cannot be read, each tried alone so that the message can name its place."""
    found = []
    for position, field in enumerate(fields):
        alone = ["*"] * len(fields)
        alone[position] = field.text
        if not _readable(" ".join(alone)):
            names = f" or {field.names[0]}–{field.names[-1]}" if field.names else ""
            found.append(_error(f"{field} cannot be read; values are {field.low}–{field.high}{names}"))
    return found


def _impossible(expression: str, fields: list[Field]) -> Iterator[Problem]:
    day, month, weekday = fields[DAY_OF_MONTH : WEEKDAY + 1]
    both = not day.free and not weekday.free
    if both and any(_NEAREST.fullmatch(token) for token in day.tokens()):
        yield _error(f"{day} with {weekday}: W and a weekday exclude each other; keep one of the two")
    elif both and any(_NTH.fullmatch(token) for token in weekday.tokens()):
        yield _error(f'{weekday} with {day}: the day of the month would be ignored; write "*" for one')
    elif not _readable(expression, strict=True):
        yield _error(f"{day} with {month}: there is no such date; correct the day or the month")
    elif not _readable(expression):
        yield _error(f'"{expression}" cannot be read; see the cron section of the manual')
    elif cron.parse(expression).after(zones.DAY * zones.day_number(dt.date(2024, 1, 1))) is None:
        yield _error(f"{day} with {month} and {weekday}: never happens; correct one of the three")


def _readable(expression: str, **options: Any) -> bool:
    from croniter import croniter  # imported late, as in cron.py

    try:
        croniter.expand(expression, **options)
    except ValueError:
        return False
    return True


def _warnings(fields: list[Field]) -> Iterator[Problem]:
    for field in fields:
        for token in field.tokens():
            if step := _STEP.fullmatch(token):
                yield from _uneven(field, token, step)
    day, weekday = fields[DAY_OF_MONTH], fields[WEEKDAY]
    starred = next((f for f in (day, weekday) if f.text.startswith("*/")), None)
    if starred and not day.free and not weekday.free:
        other = weekday if starred is day else day
        yield Problem(
            "warning",
            f"{starred} with {other}: runs on days that match either one, not both; "
            f'write "*" for one of the two, or test the date in the job',
        )


def _uneven(field: Field, token: str, step: re.Match[str]) -> Iterator[Problem]:
    """A warning when the last gap of a step is shorter than the others; a bounded range was meant to stop."""
    low = field.low if step["low"] == "*" else field.number(step["low"])
    high = field.high if step["high"] is None else field.number(step["high"])
    if low is None or high != field.high or (step["high"] and low != field.low):
        return
    width, every = field.high - field.low + 1, int(step["step"])
    values = list(range(low, field.high + 1, every))
    gap = values[0] + width - values[-1]
    if every in (1, gap) or (gap > every and len(values) > 1):
        return
    listed = ",".join(map(str, values))
    if len(values) == 1:
        yield Problem("warning", f'{field.place} "{token}": only matches {listed}; write "{listed}" instead')
        return
    last = f"is {gap} {field.unit if gap > 1 else field.unit[:-1]} instead of {every}"
    if field.place == "day-of-month":
        last = "depends on the length of the month"
    yield Problem(
        "warning",
        f'{field.place} "{token}": matches {listed}, so the last gap {last}; '
        f'write "{listed}" if that is meant, or {_even_steps(width, every)}',
    )


def _even_steps(width: int, every: int) -> str:
    """The nearest steps on either side that divide the field, in words; a 31-day month has none."""
    divisors = [n for n in range(2, width // 2 + 1) if width % n == 0]
    near = [n for n in divisors if n < every][-1:] + [n for n in divisors if n > every][:1]
    if not near:
        return "use Every to keep the gap"
    return "a step that divides it: " + " or ".join(f'"*/{n}"' for n in near)
