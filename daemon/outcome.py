"""How a try ended, as values, and what the ledger is to keep of it. Decided here, once."""

from __future__ import annotations

import random
import traceback
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from daemon import ledger
from daemon.job import Job
from daemon.ledger import Claimed, Finish
from daemon.retry import GiveUp, Retry, RetryPolicy, decide

ERROR_LENGTH = 2000
TRACEBACK_LENGTH = 20_000


class Ending(StrEnum):
    """What happened to a body. Only FAILED and TIMED_OUT are charged to it."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    HELD = "held"
    INTERRUPTED = "interrupted"
    FENCED = "fenced"
    DATABASE_LOST = "database lost"


@dataclass(slots=True)
class Outcome:
    """`recorded`: success is already committed with the effects. `reason` names who or what ended it.

    `grants`: as JSON, what the release of a held run allows.
    """

    ending: Ending
    result: object = None
    error: str | None = None
    traceback: str | None = None
    reason: str | None = None
    recorded: bool = False
    grants: str | None = None


def failure(error: BaseException) -> Outcome:
    """What a body raised, as far as it can be kept."""
    return Outcome(
        Ending.FAILED,
        error=f"{type(error).__name__}: {error}"[:ERROR_LENGTH].rstrip(": "),
        traceback="".join(traceback.format_exception(error))[-TRACEBACK_LENGTH:],
    )


def policy_of(job: Job) -> RetryPolicy:
    retries = job.priority.retries if job.retries is None else job.retries
    return RetryPolicy(retries=retries, base=job.retry_delay)


def to_finish(claimed: Claimed, job: Job, outcome: Outcome, *, now: datetime, moved: bool) -> Finish | None:
    """What to write for an outcome; None when the row is not ours to touch, or is already written.

    `moved`: the cursor advanced in this try, so earlier failures no longer count.
    """
    if outcome.recorded or outcome.ending is Ending.FENCED:
        return None
    failures = 0 if moved else claimed.failures
    if outcome.ending is Ending.SUCCEEDED:
        result = ledger.encoded(outcome.result)
        return Finish(claimed.id, claimed.token, "succeeded", failures, result=result)
    if claimed.trigger == "poll":
        return _finish_poll(claimed, outcome, failures)
    if outcome.ending is Ending.CANCELLED:
        return Finish(
            claimed.id,
            claimed.token,
            "cancelled",
            failures,
            reason=outcome.reason or "cancelled",
            outcome="cancelled",
        )
    if outcome.ending is Ending.HELD:
        why = outcome.reason or "held by its job"
        return Finish(
            claimed.id, claimed.token, "held", failures, reason=why, outcome="held", error=why, grants=outcome.grants
        )  # fmt: skip
    if outcome.ending in (Ending.INTERRUPTED, Ending.DATABASE_LOST):
        why = outcome.reason or str(outcome.ending)
        return Finish(claimed.id, claimed.token, "ready", failures, reason=why, outcome=why, error=outcome.error)
    return _finish_failure(claimed, job, outcome, failures, now)


def _finish_failure(claimed: Claimed, job: Job, outcome: Outcome, failures: int, now: datetime) -> Finish:
    decision = decide(policy_of(job), failures + 1, now=now, jitter_seed=random.random())  # noqa: S311 - jitter, no secret
    match decision:
        case Retry(at=at, failures=failed):
            return Finish(
                claimed.id, claimed.token, "ready", failed, error=outcome.error,
                retry_in=(at - now).total_seconds(), outcome=str(outcome.ending), traceback=outcome.traceback,
            )  # fmt: skip
        case GiveUp(failures=failed):
            return Finish(
                claimed.id, claimed.token, "failed", failed, error=outcome.error,
                outcome=str(outcome.ending), traceback=outcome.traceback,
            )  # fmt: skip


def _finish_poll(claimed: Claimed, outcome: Outcome, failures: int) -> Finish:
    """A poll is not retried: the next one looks at the same queue. What it did until then is kept."""
    if outcome.ending in (Ending.FAILED, Ending.TIMED_OUT):
        return Finish(
            claimed.id, claimed.token, "failed", failures + 1, error=outcome.error,
            outcome=str(outcome.ending), traceback=outcome.traceback,
        )  # fmt: skip
    why = outcome.reason or str(outcome.ending)
    return Finish(claimed.id, claimed.token, "cancelled", failures, reason=f"stopped: {why}; the queue keeps its items")
