"""Numbers and instants as AI providers write them into headers. Pure; what cannot be read is None, never an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LARGEST = 10**15
"""More requests or tokens than this is no limit of anybody's."""
LONGEST = timedelta(days=32)
"""No limit lasts longer than a month: a later reset is garbage."""
EPOCH_SECONDS, EPOCH_MS = 10**9, 10**12
SKEW = timedelta(seconds=5)
"""Up to so much, two clocks agree well enough."""

UNITS_S = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
PART = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)(d|h|ms|us|µs|ns|m|s)")
DURATION = re.compile(rf"(?:{PART.pattern})+")
NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.\d{0,18})?")


def amount(text: str | None) -> int | None:
    """A whole number, negative ones too; a fraction is cut off."""
    text = (text or "").strip()
    if not NUMBER.fullmatch(text) or not text.isascii():
        return None
    number = int(text.partition(".")[0])
    return number if -LARGEST <= number <= LARGEST else None


def duration(text: str) -> timedelta | None:
    """`6m0s`, `12ms`, `2m59.56s`, or a plain number of seconds. None for what is neither, or longer than a month."""
    text = text.strip()
    if not text.isascii() and "µ" not in text:
        return None
    if NUMBER.fullmatch(text):
        total = float(text)
    elif DURATION.fullmatch(text):
        total = sum(float(number) * UNITS_S[unit] for number, unit in PART.findall(text))
    else:
        return None
    return timedelta(seconds=total) if abs(total) <= LONGEST.total_seconds() else None


def instant(text: str) -> datetime | None:
    """RFC 3339, an HTTP date, or a Unix time in seconds or milliseconds. An instant without a zone is UTC."""
    text = text.strip()
    try:
        if NUMBER.fullmatch(text) and text.isascii():
            return _of_epoch(float(text))
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError, OSError):
        return None


def _of_epoch(number: float) -> datetime | None:
    if number >= EPOCH_MS:
        number /= 1000
    return datetime.fromtimestamp(number, UTC) if number >= EPOCH_SECONDS else None


def reset(text: str | None, headers: Mapping[str, str], at: datetime) -> datetime | None:
    """When a limit is whole again, by our clock, from any of those formats. `at`: when the answer came, aware.

    An instant of the provider's is moved by how far its clock (`Date`) is from ours, if that is over five seconds.
    None: not said, not to be read, or further away than any limit lasts. It may lie in the past.
    """
    if not text:
        return None
    wait = duration(text)
    if wait is not None:
        return at + wait
    there = instant(text)
    if there is None:
        return None
    there -= clock_skew(headers, at)
    return there if abs(there - at) <= LONGEST else None


def clock_skew(headers: Mapping[str, str], at: datetime) -> timedelta:
    """How far the provider's clock is ahead of ours; nothing if it does not say, or not by much, or by garbage."""
    said = instant(headers["date"]) if "date" in headers else None
    if said is None:
        return timedelta(0)
    ahead = said - at
    return ahead if SKEW < abs(ahead) <= LONGEST else timedelta(0)
