"""The named points of a run at which a daemon is killed, and what then stands in the database."""

from __future__ import annotations

from dataclasses import dataclass

from tests.system.payouts.house import JOB, PAID
from tests.system.wire import Moment

BATCH_FENCE = "UPDATE sexton.run SET cursor"
SUCCESS = "SET state = 'succeeded'"
RUNNING = f"""
    SELECT r.id, r.logical_date - 1 AS day, (r.cursor ->> 'after')::bigint AS after
    FROM sexton.run r WHERE r.job = '{JOB}' AND r.state = 'running'
"""
UNCOMMITTED = """
    EXISTS (SELECT FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%{fence}%')
"""
COMMITTED = """
    EXISTS (SELECT FROM pg_stat_activity WHERE state = 'idle' AND query = 'COMMIT'
            AND application_name LIKE 'sexton job %')
"""


@dataclass(frozen=True, slots=True)
class KillPoint:
    """Where the wire stops the world, and the condition in SQL by which we know that this is the place.

    `rescued`: a run is in the dead daemon's name, and somebody takes it over.
    """

    name: str
    moment: Moment
    stands: str
    rescued: bool = True

    @property
    def reached(self) -> str:
        """True when we are there, and at least $1 days have been paid."""
        return f"WITH running AS ({RUNNING}) SELECT ({PAID}) >= $1 AND ({self.stands})"


AFTER_TICK = KillPoint(
    "after the tick: rows inserted, none begun",
    Moment("new_fingerprint", "answered"),
    f"""(SELECT count(*) = 30 AND count(*) FILTER (WHERE state = 'ready') = 29 FROM sexton.run WHERE job = '{JOB}')
        AND EXISTS (SELECT FROM running) AND NOT EXISTS (SELECT FROM investment.accrual_day)""",
)
AFTER_CLAIM = KillPoint(
    "after the claim",
    Moment("mine AS (", "answered"),
    """(SELECT after IS NULL AND NOT EXISTS (SELECT FROM investment.accrual_day d WHERE d.accrual_date = day)
        FROM running)""",
)
MID_STATEMENT = KillPoint(
    "mid-statement: while a range is paid",
    Moment("INSERT INTO roi_distribution", "sent"),
    "(SELECT after > 0 FROM running)",
)
BEFORE_COMMIT = KillPoint(
    "before the COMMIT of a range",
    Moment("COMMIT", "sent", after=BATCH_FENCE),
    f"(SELECT after > 0 FROM running) AND {UNCOMMITTED.format(fence=BATCH_FENCE)}",
)
AFTER_COMMIT = KillPoint(
    "after the COMMIT of a range, before its answer",
    Moment("COMMIT", "answered", after=BATCH_FENCE),
    f"""(SELECT after > 0 AND EXISTS (SELECT FROM investment.roi_distribution d WHERE d.accrual_date = day)
         FROM running) AND {COMMITTED}""",
)
BEFORE_LAST_COMMIT = KillPoint(
    "before the COMMIT that completes a day",
    Moment("COMMIT", "sent", after=SUCCESS),
    f"""(SELECT NOT EXISTS (SELECT FROM sexton.outbox o WHERE o.run = running.id) FROM running)
        AND {UNCOMMITTED.format(fence=SUCCESS.replace("'", "''"))}""",
)
AFTER_LAST_COMMIT = KillPoint(
    "after the COMMIT that completes a day, before its answer",
    Moment("COMMIT", "answered", after=SUCCESS),
    f"NOT EXISTS (SELECT FROM running) AND EXISTS (SELECT FROM sexton.outbox) AND {COMMITTED}",
    rescued=False,
)
POINTS = (
    AFTER_TICK, AFTER_CLAIM, MID_STATEMENT, BEFORE_COMMIT, AFTER_COMMIT, BEFORE_LAST_COMMIT, AFTER_LAST_COMMIT,
)  # fmt: skip
