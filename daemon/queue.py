"""The leased work queue that suites build on: a table of the suite's, these columns, these statements.

Columns: a bigint key, `state` (READY, RUNNING, DEAD), `priority`, `enqueued_at`, `next_attempt_at`, `attempts`
(claims), `failures` (decide DEAD), `rescues` (the node died holding it), `token`, `lease_owner`, `last_error`.
The lease is the node's: an item stays its holder's as long as the holder's own lease does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from daemon.sql import IDENTIFIER, Statement, parse

MAX_FAILURES = 5
MAX_RESCUES = 5
STATEMENTS = parse(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True, slots=True, order=True)
class QueueItem:
    """One claimed item. `token` is its fence: only its holder of the moment can finish or fail it."""

    key: int
    token: int
    attempts: int = 1
    failures: int = 0
    priority: int = 0


class Postponed(Exception):
    """Raised by an item's `perform` when nothing is wrong with the item: what it needs is away for now.

    It goes back to the queue at no cost, to be tried again after `delay` (None: the queue's retry delay, doubled
    with each try up to 16 times that).
    """

    def __init__(self, reason: str, delay: timedelta | None = None) -> None:
        super().__init__(reason)
        self.delay = delay


@dataclass(frozen=True)
class WorkQueue:
    """A suite's queue table: `name` is `schema.table`, `key` its bigint primary key."""

    name: str
    key: str
    max_failures: int = MAX_FAILURES

    def __post_init__(self) -> None:
        if not IDENTIFIER.fullmatch(self.name) or not IDENTIFIER.fullmatch(self.key) or "." in self.key:
            raise ValueError(f"WorkQueue({self.name!r}, key={self.key!r}): names are like suite.table and key_id")

    @cached_property
    def statements(self) -> dict[str, Statement]:
        return {name: s.on(queue=self.name, key=self.key) for name, s in STATEMENTS.items()}
