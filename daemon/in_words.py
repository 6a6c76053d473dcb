"""Moments and spans of time, in words for people and as ISO 8601 for machines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

NOTHING = "–"
SIZES = ("B", "kB", "MB", "GB", "TB")


def duration(seconds: float | timedelta | None) -> str:
    """`14 ms`, `1.5 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`."""
    if seconds is None:
        return NOTHING
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if total < 1:
        return f"{total * 1000:.3g} ms"
    if total < 60:
        return f"{total:.3g} s"
    whole = round(total)
    for size, unit, rest_size, rest_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            count, rest = divmod(whole, size)
            return f"{count} {unit}" + (f" {rest // rest_size} {rest_unit}" if rest >= rest_size else "")
    return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")


def iso(at: datetime | None, zone: tzinfo = UTC) -> str | None:
    """ISO 8601 with its offset, in `zone`."""
    return None if at is None else at.astimezone(zone).isoformat()


def utc_field(at: datetime | None) -> str:
    """As a form's field has a moment, which knows no zone: `2026-11-22T15:30`, in UTC; empty for none."""
    return "" if at is None else at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="minutes")


def moment(at: datetime | None, zone: tzinfo = UTC) -> str:
    """`2026-11-22 15:30:00 CET`, for people."""
    if at is None:
        return NOTHING
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname() or ''}".rstrip()


def size(octets: float) -> str:
    """`17 B`, `1.2 MB`."""
    unit = 0
    while octets >= 1000 and unit < len(SIZES) - 1:
        octets, unit = octets / 1000, unit + 1
    return f"{octets:.0f} {SIZES[unit]}" if unit == 0 else f"{octets:.1f} {SIZES[unit]}"
