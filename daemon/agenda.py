"""Which jobs are due when. Jobs due at one instant share one entry, so that a burst costs no sorting."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Agenda:
    """A job may be on it more than once; who takes it off judges whether it is still due."""

    _instants: list[datetime] = field(default_factory=list)
    _names: dict[datetime, list[str]] = field(default_factory=dict)

    def add(self, at: datetime, name: str) -> None:
        names = self._names.get(at)
        if names is None:
            heapq.heappush(self._instants, at)
            self._names[at] = [name]
        else:
            names.append(name)

    def take(self, now: datetime) -> list[str]:
        """The jobs that are due by now, the longest due first, each once; they are off the agenda."""
        due: dict[str, None] = {}
        while self._instants and self._instants[0] <= now:
            due.update(dict.fromkeys(self._names.pop(heapq.heappop(self._instants))))
        return list(due)

    @property
    def next(self) -> datetime | None:
        return self._instants[0] if self._instants else None

    def upcoming(self, count: int) -> list[tuple[datetime, str]]:
        """The next few, by instant, then by name."""
        found: list[tuple[datetime, str]] = []
        for at in heapq.nsmallest(count, self._instants):
            found += [(at, name) for name in heapq.nsmallest(count - len(found), set(self._names[at]))]
            if len(found) >= count:
                break
        return found
