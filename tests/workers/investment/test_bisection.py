"""Cutting up a range until each culprit stands alone, for any culprits, and giving up when they are many."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.investment.bisection import Suspects, TooManyRefused, bisected


class Savepoints:
    """Of a transaction the one thing that is used: what is attempted in a failed one is undone."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.attempts = 0

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        before = list(self.done)
        try:
            yield
        except BaseException:
            self.done = before
            raise

    def refusing(self, bad: set[int], error: type[Exception] = asyncpg.CheckViolationError) -> Any:
        async def attempt(low: int, high: int, but: Sequence[int]) -> int:
            self.attempts += 1
            ids = set(range(low + 1, high + 1)) - set(but)
            self.done += ids
            if culprits := bad & ids:
                raise error(f"no {min(culprits)}")
            return len(ids)

        return attempt


def suspecting(suspected: set[int]) -> Suspects:
    async def suspects(low: int, high: int) -> list[int]:
        return [id_ for id_ in suspected if low < id_ <= high]

    return suspects


IDS = st.sets(st.integers(1, 450), max_size=12)


@given(st.integers(0, 50), st.one_of(st.integers(1, 400), st.integers(401, 2000)), IDS, IDS)
async def test_all_but_the_culprits_are_done_once(above: int, count: int, bad: set[int], suspected: set[int]) -> None:
    tx: Any = Savepoints()
    stop = above + count
    inside = sorted(id_ for id_ in bad if above < id_ <= stop)
    done, refused = await bisected(tx, above, stop, tx.refusing(bad), suspects=suspecting(suspected))
    assert [id_ for id_, _ in refused] == inside
    assert done == count - len(inside)
    assert sorted(tx.done) == [id_ for id_ in range(above + 1, stop + 1) if id_ not in inside]


@given(IDS)
async def test_suspects_cost_one_attempt_each_and_the_others_one_together(bad: set[int]) -> None:
    tx: Any = Savepoints()
    _, refused = await bisected(tx, 0, 450, tx.refusing(bad), suspects=suspecting(bad))
    assert len(refused) == len(bad)
    assert tx.attempts == (2 + len(bad) if bad else 1)


async def test_nobody_is_suspected_of_what_goes_through() -> None:
    tx: Any = Savepoints()

    async def never(low: int, high: int) -> list[int]:
        raise AssertionError("asked for suspects")

    assert await bisected(tx, 0, 450, tx.refusing(set()), suspects=never) == (450, [])


async def test_the_reason_names_the_kind_and_the_words_of_the_error() -> None:
    tx: Any = Savepoints()
    _, refused = await bisected(tx, 0, 8, tx.refusing({3}, asyncpg.NumericValueOutOfRangeError))
    assert refused == [(3, "NumericValueOutOfRangeError: no 3")]


@pytest.mark.parametrize("error", [asyncpg.DeadlockDetectedError, asyncpg.UndefinedTableError, ValueError])
async def test_what_no_row_can_cause_is_raised_at_once(error: type[Exception]) -> None:
    tx: Any = Savepoints()
    with pytest.raises(error):
        await bisected(tx, 0, 1000, tx.refusing({3}, error))
    assert tx.attempts == 1


@pytest.mark.parametrize(("culprit", "attempts"), [(1, 1 + 2 * 8), (2**8, 1 + 8 + 1)])
async def test_a_half_is_not_attempted_when_the_other_shows_where_the_culprit_is(culprit: int, attempts: int) -> None:
    tx: Any = Savepoints()
    await bisected(tx, 0, 2**8, tx.refusing({culprit}))
    assert tx.attempts == attempts


@pytest.mark.parametrize(("culprits", "times"), [(1, 4), (20, 4), (90, 5)])
async def test_many_culprits_do_not_have_the_whole_range_done_again_and_again(culprits: int, times: int) -> None:
    """By halving alone it would be 3, 8 and 10 times."""
    count, touched = 50_000, 0
    tx: Any = Savepoints()
    bad = {count // culprits * n + 7 for n in range(culprits)}

    async def attempt(low: int, high: int, but: Sequence[int]) -> int:
        nonlocal touched
        touched += high - low
        if culprits := sum(low < id_ <= high for id_ in bad):
            raise asyncpg.CheckViolationError(f"{culprits} of them")
        return high - low

    done, refused = await bisected(tx, 0, count, attempt)
    assert (done, len(refused)) == (count - len(bad), len(bad))
    assert touched < times * count


async def test_ids_far_apart_cost_no_attempt_for_each_gap() -> None:
    tx: Any = Savepoints()
    attempts = 0

    async def attempt(low: int, high: int, but: Sequence[int]) -> int:
        nonlocal attempts
        attempts += 1
        if low < 3 * 10**14 <= high:
            raise asyncpg.CheckViolationError("this one")
        return 0

    _, refused = await bisected(tx, 0, 10**15, attempt)
    assert [id_ for id_, _ in refused] == [3 * 10**14]
    assert attempts < 7 * 256


async def test_the_first_culprit_too_many_ends_it_long_before_the_last() -> None:
    tx: Any = Savepoints()
    with pytest.raises(TooManyRefused, match="11 were refused, the last, 11, by CheckViolationError: no 11") as raised:
        await bisected(tx, 0, 100_000, tx.refusing(set(range(1, 100_001))), most=10)
    assert len(raised.value.refused) == 11
    assert tx.attempts < 60


async def test_exactly_as_many_as_allowed_are_allowed() -> None:
    tx: Any = Savepoints()
    done, refused = await bisected(tx, 0, 100, tx.refusing({1, 50, 100}), most=3)
    assert (done, len(refused)) == (97, 3)
