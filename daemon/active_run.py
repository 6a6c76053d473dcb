"""A run while it is performed on this node."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from daemon.job import Job
from daemon.leash import Leash, Patience
from daemon.ledger import Claimed
from daemon.outcome import Outcome


@dataclass(eq=False, slots=True)
class ActiveRun:
    """A run that is being performed here. `stop` says why it was interrupted, if it was.

    `abandoned`: the supervisor leaves, and nobody waits for its ending. `forsaken`: its body would not end, so its
    end was recorded without it; whatever it still does is fenced. `written`: rows of its committed transactions.
    """

    claimed: Claimed
    job: Job
    leash: Leash = field(default_factory=Leash)
    began: float = field(default_factory=time.monotonic)
    stop: Outcome | None = None
    abandoned: bool = False
    forsaken: bool = False
    moved: bool = False
    done: float = 0.0
    total: float | None = None
    written: Counter[str] = field(default_factory=Counter)

    def interrupt(self, outcome: Outcome, patience: Patience | None = None) -> None:
        """Stop it for a cause of ours; the first cause stands. `patience`: less of it than usual."""
        self.stop = self.stop or outcome
        self.leash.pull(patience)

    def abandon(self) -> None:
        self.abandoned = True
        self.leash.pull()
