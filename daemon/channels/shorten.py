"""Texts cut to what a service takes. Pure. Lengths are UTF-16 units, as those services count."""

from __future__ import annotations

from collections.abc import Callable


def units(character: str) -> int:
    """Characters beyond the Basic Multilingual Plane, such as most emoji, count twice."""
    return 2 if character > "\uffff" else 1


def shorten(text: str, limit: int, ending: str = "…", width: Callable[[str], int] = units) -> str:
    """At most `limit` wide, no character cut in two; what was cut ends in `ending`."""
    room = limit - sum(map(width, ending))
    used, kept = 0, 0
    for index, character in enumerate(text):
        used += width(character)
        if used <= room:
            kept = index + 1
        if used > limit:
            return text[:kept].rstrip() + ending
    return text
