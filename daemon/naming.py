"""Names: the nearest known one, for every message about an unknown one; and which belong to which."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` or nothing, ready to be appended to a message."""
    spelt = {name.casefold(): name for name in known}
    nearest = [spelt[name] for name in get_close_matches(wrong.casefold(), list(spelt), n=1, cutoff=0.6)]
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def is_of(job: str, names: Collection[str]) -> bool:
    """Whether a job's name, or that of its suite, is among `names`."""
    return job in names or job.partition(".")[0] in names
