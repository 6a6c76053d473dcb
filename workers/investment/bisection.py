"""A range of investments in one statement, and still a bad one costs only itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import asyncpg

from daemon import Transaction

Attempt = Callable[[int, int, Sequence[int]], Awaitable[int]]
"""Of the ids above the first up to the second, but for those of the third."""
Suspects = Callable[[int, int], Awaitable[Sequence[int]]]
Refused = list[tuple[int, str]]
REFUSALS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
MOST_PIECES, SMALLEST_PIECE = 256, 200
"""A part is cut into as many pieces as have so many ids at least; a smaller part into halves. Halving from the top
would do the whole range over once for every doubling of the culprits."""


class TooManyRefused(Exception):
    """More than single rows are refused: something else is wrong. `refused` are those found so far."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"{len(refused)} were refused, the last, {refused[-1][0]}, by {refused[-1][1]}")
        self.refused = refused


@dataclass(frozen=True, slots=True)
class _Part:
    """Ids above `above` up to `stop`, but for some. After a first half comes the other half of the same part."""

    above: int
    stop: int
    but: Sequence[int] = ()
    is_first_half: bool = False

    @property
    def is_single(self) -> bool:
        return self.stop - self.above == 1

    def pieces(self) -> list[_Part]:
        """In the order of a stack: the last is done first."""
        size = self.stop - self.above
        count = min(max(size // SMALLEST_PIECE, 2), MOST_PIECES)
        edges = [self.above + size * n // count for n in range(count + 1)]
        pieces = [_Part(low, high, self.but) for low, high in pairwise(edges)]
        if count == 2:
            pieces[0] = replace(pieces[0], is_first_half=True)
        return pieces[::-1]


async def nobody(above: int, stop: int) -> Sequence[int]:
    """Suspects nobody."""
    return ()


async def bisected(
    tx: Transaction, above: int, stop: int, attempt: Attempt, *, suspects: Suspects = nobody, most: int | None = None
) -> tuple[int, Refused]:
    """Attempt the ids above `above` up to `stop`; if the data is refused, find out whose, and do all the others.

    `suspects` is asked once, and then: each of them is attempted alone, and the others at once. What is still refused
    is cut up until each culprit stands alone. Returns the sum of what the attempts returned, and (id, reason) of the
    culprits in order. Only SQLSTATE classes 22 and 23 are a row's doing, everything else is raised. Raises
    `TooManyRefused` at the first culprit after `most`: to find a hundred thousand one by one would take hours.
    """
    try:
        async with tx.savepoint():
            return await attempt(above, stop, ()), []
    except REFUSALS:
        apart = sorted(await suspects(above, stop))
    whole = _Part(above, stop, but=apart)
    others = [whole] if apart or whole.is_single else whole.pieces()
    todo = others + [_Part(id_ - 1, id_) for id_ in reversed(apart)]
    done, refused = 0, Refused()
    culprit_is_here = False  # its other half went through: there is no need to attempt it as a whole
    while todo:
        part = todo.pop()
        if culprit_is_here and not part.is_single:
            todo += part.pieces()
            culprit_is_here = False
            continue
        try:
            async with tx.savepoint():
                done += await attempt(part.above, part.stop, part.but)
            culprit_is_here = part.is_first_half
        except REFUSALS as error:
            culprit_is_here = False
            if not part.is_single:
                todo += part.pieces()
                continue
            refused.append((part.stop, f"{type(error).__name__}: {error.args[0]}"))
            if most is not None and len(refused) > most:
                raise TooManyRefused(refused) from error
    return done, sorted(refused)
