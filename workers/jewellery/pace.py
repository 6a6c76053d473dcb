"""How many rows one transaction may delete, so that whoever wants one of them waits for a moment only. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST, MOST = 100, 10_000
FIRST = 1_000
AIM_S = 0.02
"""Seconds for a batch, its COMMIT included: less than half of what a checkout may be kept waiting."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`rows` of the next batch."""

    rows: int = FIRST

    def after(self, seconds: float) -> Pace:
        """The pace when `rows` took so long: as many as fit into `AIM_S`, from a tenth to twice as many."""
        fitting = self.rows * AIM_S / max(seconds, 1e-6)
        bounded = min(max(fitting, self.rows / 10), self.rows * 2)
        return Pace(max(FEWEST, min(MOST, int(bounded))))
