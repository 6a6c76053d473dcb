"""One pass over payments that have stood still: ask the provider about each, at its pace, and apply what it says.

Asking and writing go side by side, so that a pass takes as long as the provider's limit wants and no longer.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg

from daemon import Context, Row, Transaction, forgiving_deadlocks, sql
from workers.jewellery.payment_books import StrangePayment
from workers.jewellery.payment_capture import captured
from workers.jewellery.payment_rules import Seen, Status, decisive
from workers.jewellery.razorpay import NotHeardOf, NotLetIn, ProviderAway, ProviderRefuses, Razorpay, TooManyRequests
from workers.jewellery.settings import Settings
from workers.jewellery.settlement import Moment, NoSuchPayment, Observation, Settlement, settle
from workers.jewellery.token_bucket import TokenBucket

(CHECKED,) = sql.load(__file__, "checked")

MOST_IN_ONE_COMMIT = 100
GATHER_S = 0.2
MOST_AWAY_IN_A_ROW = 20
"""So many answers in a row that are none: the provider is away, and the rest waits for the next pass."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=10), timedelta(hours=6)
BAD_ROWS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, NoSuchPayment, StrangePayment)
COUNTED = {
    Status.CAPTURED: "recovered", Status.FAILED: "failed", Status.REVIEW: "review", Status.EXPIRED: "expired",
    Status.REFUNDED: "refunded", Status.AUTHORIZED: "authorized",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What the provider knows of one payment: nothing, or its decisive attempts."""

    payment_id: str
    seen: tuple[Seen, ...] = ()
    heard: bool = True

    def observations(self) -> list[Observation]:
        if not self.heard:
            return []
        return [Observation(seen, self.payment_id) for seen in self.seen or (None,)]


class PassEnds(Exception):
    """Not asked any more: the provider has had enough, or there is no time left."""


@dataclass
class Pass:
    """`counts`: checked, recovered, failed, review, … `refused`: the 429 that ended it, if one did.

    `until`: when it asks no more, by the event loop's clock.
    """

    ctx: Context
    waiting: Iterator[Row]
    until: float
    counts: Counter[str] = field(default_factory=Counter)
    refused: TooManyRequests | None = None
    trouble: Exception | None = None
    away_in_a_row: int = 0
    answers: list[Asked] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _asking: int = 0

    def __post_init__(self) -> None:
        self.settings: Settings = self.ctx.settings
        self._bucket = bucket_of(self.settings.razorpay.per_second)

    async def pace(self) -> None:
        """Awaited before each request. Raises `PassEnds`, so that nothing is asked after a 429."""
        await asyncio.sleep(self._bucket.take(asyncio.get_running_loop().time()))
        if not self._goes_on():
            raise PassEnds

    async def run(self, provider: Razorpay) -> None:
        """Raises `NotLetIn` and whatever the database does; what was answered until then is written."""
        self._asking = self.settings.razorpay.concurrency
        tasks = [asyncio.create_task(self._ask_on(provider)) for _ in range(self._asking)]
        try:
            while self._asking or self.answers:
                await self._gathered()
                batch = self.answers[:MOST_IN_ONE_COMMIT]
                del self.answers[: len(batch)]  # in place: a lane may hold on to the list while it waits
                if batch:
                    await self._write(batch)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self.trouble is not None:
            raise self.trouble

    async def _gathered(self) -> None:
        """A commit costs the same for many."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                while self._asking and len(self.answers) < MOST_IN_ONE_COMMIT:
                    self._news.clear()
                    await self._news.wait()

    def _goes_on(self) -> bool:
        if self.refused is not None or self.trouble is not None or self.away_in_a_row >= MOST_AWAY_IN_A_ROW:
            return False
        return asyncio.get_running_loop().time() < self.until

    async def _ask_on(self, provider: Razorpay) -> None:
        try:
            while self._goes_on() and (row := next(self.waiting, None)) is not None:
                await self._ask(provider, row)
                self._news.set()
        except Exception as error:  # noqa: BLE001 - raised again by `run`, when the answers are written
            self.trouble = self.trouble or error
        finally:
            self._asking -= 1
            self._news.set()

    async def _ask(self, provider: Razorpay, row: Row) -> None:
        """A row that gets no answer is skipped and keeps its turn; one that is refused gets another turn later."""
        try:
            answer = await asked(self.ctx, provider, row)
            self.answers.append(answer)
            self.away_in_a_row = 0
        except PassEnds:
            return
        except TooManyRequests as error:
            self.refused = self.refused or error
        except ProviderAway as error:
            self.away_in_a_row += 1
            self.counts["skipped"] += 1
            self.ctx.log.warning("payment %s is asked about again: %s", row["id"], error)
        except NotLetIn:
            raise
        except (ProviderRefuses, StrangePayment) as error:
            self._refuse(row["id"], error)
            self.answers.append(Asked(row["id"], heard=False))

    def _refuse(self, payment_id: str, error: Exception) -> None:
        self.counts["refused"] += 1
        self.ctx.log.warning("payment %s is left alone for now: %s", payment_id, error)

    async def _write(self, batch: Sequence[Asked]) -> None:
        """One transaction; if the data is refused, one each, so that a bad row costs only itself."""
        try:
            await forgiving_deadlocks(self._written, batch)
        except BAD_ROWS as error:
            if len(batch) > 1:
                for one in batch:
                    await self._write([one])
                return
            self._refuse(batch[0].payment_id, error)
            if not isinstance(error, NoSuchPayment):
                await self._written([Asked(batch[0].payment_id, heard=False)])

    async def _written(self, batch: Sequence[Asked]) -> None:
        async with self.ctx.transaction(cursor=int(self.ctx.cursor or 0) + 1) as tx:
            settlement = await self._settled(tx, batch)
        self._count(settlement)
        self.counts["checked"] += len(batch)
        await self.ctx.progress(self.counts["checked"])

    async def _settled(self, tx: Transaction, batch: Sequence[Asked]) -> Settlement:
        moment = Moment("reconciler", self.ctx.run_id, self.ctx.now(), self.settings)
        observations = [observation for one in batch for observation in one.observations()]
        settlement = await settle(tx, observations, moment)
        await tx.execute(CHECKED, [one.payment_id for one in batch], moment.now, FIRST_WAIT, LONGEST_WAIT)
        return settlement

    def _count(self, settlement: Settlement) -> None:
        self.counts.update(COUNTED[step.new] for step in settlement.steps if step.new in COUNTED)
        for alarm in settlement.alarms:
            self.ctx.log.warning("%s: %s", alarm.title, alarm.message)


async def asked(ctx: Context, provider: Razorpay, row: Row) -> Asked:
    """By the provider's order, which tells of every attempt; by the one attempt where there is no order."""
    attempts: list[Seen] = []
    if row["provider_order_id"]:
        attempts = await provider.attempts(row["provider_order_id"])
    elif row["provider_payment_id"]:
        try:
            attempts = [await provider.payment(row["provider_payment_id"])]
        except NotHeardOf:
            attempts = []
    seen = [await captured(ctx, provider, s, row["id"]) for s in decisive(attempts, row["provider_payment_id"])]
    return Asked(row["id"], tuple(seen))


def bucket_of(per_second: float) -> TokenBucket:
    """A quarter of a second's worth may be caught up on, so that a busy machine costs no rate."""
    return TokenBucket(per_second, burst=max(1.0, per_second / 4))
