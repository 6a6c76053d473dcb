"""The nearest known name, for every message about an unknown one."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` or nothing, ready to be appended to a message."""
    nearest = get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
