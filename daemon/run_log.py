"""What a body says through `ctx.log` is kept with its run, bounded, besides going to the log."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from daemon import ledger
from daemon.database import Link
from daemon.jsonable import storable

LOGGER = "sexton.job"
MOST_LINES = 1000
MOST_PENDING = 10_000
LINE_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Line:
    run: int
    seq: int
    at: datetime
    level: str
    text: str


class RunLog(logging.Handler):
    """Collects lines that carry a run's id; `step` writes them, many in one statement."""

    def __init__(self, link: Link, now: Callable[[], datetime], wake: Callable[[], None]) -> None:
        super().__init__()
        self._link, self._now, self._wake = link, now, wake
        self._pending: list[Line] = []
        self._written: dict[int, int] = defaultdict(int)

    def emit(self, record: logging.LogRecord) -> None:
        run = getattr(record, "run", 0)
        if not run or self._written[run] >= MOST_LINES or len(self._pending) >= MOST_PENDING:
            return
        try:
            text = storable(record.getMessage())
        except Exception:  # noqa: BLE001 - logging's own rule: a badly formatted line is never the caller's failure
            self.handleError(record)
            return
        self._written[run] += 1
        nth = self._written[run]
        if nth == MOST_LINES:
            text = f"more than {MOST_LINES} lines: the rest is not kept"
        seq = (getattr(record, "attempt", 1) - 1) * MOST_LINES + nth  # each try has its own numbers
        self._pending.append(Line(run, seq, self._now(), record.levelname.lower(), text[:LINE_LENGTH]))
        self._wake()

    async def step(self) -> float:
        """Write what was said. Raises `DatabaseDown`; nothing is lost while it is away, up to a bound."""
        lines = list(self._pending)
        if lines:
            await self._link.fetch(
                ledger.APPEND_LOG,
                [line.run for line in lines], [line.seq for line in lines], [line.at for line in lines],
                [line.level for line in lines], [line.text for line in lines],
            )  # fmt: skip
            del self._pending[: len(lines)]
        return 3600.0

    def forget(self, run: int) -> None:
        """The run has ended: its line count is needed no more."""
        self._written.pop(run, None)
