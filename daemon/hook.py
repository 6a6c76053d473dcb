"""What a suite says about calls from outside: what a stranger POSTs becomes one row, kept before it is answered.

Nothing else happens there. What the row means is a job's to find out: fenced, retried and audited like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from daemon.sql import Statement

PATH = re.compile(r"(/[a-z0-9_-]+)+")
LONGEST_BODY = 64 * 1024
MOST_OCTETS = 16 * 1024 * 1024
REFUSALS = range(400, 500)


@dataclass(frozen=True, slots=True)
class HookCall:
    """What came: headers by their names in small letters, the last of a name; the body's octets, as they were sent."""

    headers: Mapping[str, str]
    body: bytes


class Kept:
    """The values of the row to keep, in the order of the statement's parameters."""

    __slots__ = ("row",)

    def __init__(self, *row: object) -> None:
        self.row = row


@dataclass(frozen=True, slots=True)
class Refused:
    """Answered with a status of 400 to 499 and these words; counted, and nothing is kept."""

    status: int
    words: str

    def __post_init__(self) -> None:
        if self.status not in REFUSALS:
            raise ValueError(f"Refused({self.status}): choose a status from 400 to 499")


Reads = Callable[[HookCall, Any], Kept | Refused]


@dataclass(frozen=True, slots=True)
class Hook:
    """POST /hooks/<suite><path>. `keep` takes an array for each of a row's values; `read` is the decorated function."""

    path: str
    keep: Statement
    longest_body: int
    read: Reads = field(repr=False)

    def __post_init__(self) -> None:
        if not PATH.fullmatch(self.path):
            raise ValueError(f"@hook({self.path!r}): write a path such as /paid or /parcels/delivered")
        if not 0 < self.longest_body <= MOST_OCTETS:
            raise ValueError(f"@hook({self.path!r}, longest_body={self.longest_body}): at most {MOST_OCTETS}")


def hook(path: str, *, keep: Statement, longest_body: int = LONGEST_BODY) -> Callable[[Reads], Hook]:
    """Declare the decorated function, in the suite's `hooks.py`, as what reads POST /hooks/<suite><path>.

    It is given the call and the suite's settings, must not await, and says `Kept(value, …)` or `Refused(status, why)`.
    The rows of calls that come at once are kept by one `keep`, whose parameters are arrays: one for each value. The
    caller gets 200 after the COMMIT; 503, and so another try of theirs, while there is no database. The same call may
    come again: let a key of the table find that out.
    """
    return lambda read: Hook(path, keep, longest_body, read)
