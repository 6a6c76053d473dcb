"""Steps that are repeated after a deadlock."""

from __future__ import annotations

import asyncpg
import pytest

from daemon import forgiving_deadlocks
from daemon.deadlocks import MOST_FORGIVEN


class Step:
    """Fails so often, and then returns what it was given."""

    def __init__(self, failures: int, error: type[Exception]) -> None:
        self.left, self.error, self.asked = failures, error, 0

    async def __call__(self, value: str) -> str:
        self.asked += 1
        if self.asked <= self.left:
            raise self.error("no")
        return value


@pytest.mark.parametrize("error", [asyncpg.DeadlockDetectedError, asyncpg.SerializationError])
async def test_a_step_is_repeated_until_it_is_not_undone(error: type[Exception]) -> None:
    step = Step(MOST_FORGIVEN, error)
    assert await forgiving_deadlocks(step, "done") == "done"
    assert step.asked == MOST_FORGIVEN + 1


async def test_a_step_that_is_undone_for_ever_fails() -> None:
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await forgiving_deadlocks(Step(MOST_FORGIVEN + 1, asyncpg.DeadlockDetectedError), "done")


async def test_any_other_error_is_raised_at_once() -> None:
    step = Step(1, asyncpg.UniqueViolationError)
    with pytest.raises(asyncpg.UniqueViolationError):
        await forgiving_deadlocks(step, "done")
    assert step.asked == 1
