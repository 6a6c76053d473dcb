"""Working a queue: claim as slots free up, perform in worker processes, save many results in one fenced commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import asyncpg

from daemon.appetite import Appetite
from daemon.database import DatabaseDown
from daemon.events import ItemDied, ItemsFinished, Note
from daemon.fence import Fenced
from daemon.job import Drained
from daemon.performed import ERROR_LENGTH, Performed, is_no_rows_doing, reason, seconds_off, sorted_out
from daemon.pool_messages import PoolClosed, WorkerStartError
from daemon.queue import Postponed, QueueItem, WorkQueue

if TYPE_CHECKING:
    from daemon.context import RunContext
    from daemon.facilities import Facilities

MOST_IN_ONE_COMMIT = 500
GATHER = 0.1
CLAIM_PATIENCE = 2.0
LATITUDE = 5.0

Perform = Callable[[QueueItem], Awaitable[Any]]
Save = Callable[[Any, Sequence[tuple[QueueItem, Any]]], Awaitable[object]]
SaveFailures = Callable[[Any, Sequence[tuple[QueueItem, str]]], Awaitable[object]]


@dataclass(eq=False)
class Drain:
    """One pass over a queue until it has nothing more to give.

    Three activities run side by side, so that no worker waits for a commit and no commit for a worker:
    a feeder claims, `lanes` performers await one item each, and the caller's iteration saves.
    """

    context: RunContext
    lent: Facilities
    queue: WorkQueue
    perform: Perform
    save: Save
    timeout: timedelta
    save_failures: SaveFailures | None = None
    _todo: deque[QueueItem] = field(default_factory=deque)
    _settled: list[Performed] = field(default_factory=list)
    _open: dict[int, QueueItem] = field(default_factory=dict)
    _exhausted: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _hungry: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _claim_sent: asyncio.Task[list[QueueItem]] | None = None
    _failure: BaseException | None = None
    _performed_lately: int = 0
    _some_done: bool = False

    async def batches(self) -> AsyncIterator[Drained]:
        """After each commit, what it did. Ends when the queue is empty and everything claimed is settled."""
        lanes = self.lent.pool_size
        self._tasks = [asyncio.create_task(self._watched(self._feed(lanes)))]
        self._tasks += [asyncio.create_task(self._watched(self._lane())) for _ in range(lanes)]
        try:
            while True:
                if self._failure is not None:
                    raise self._failure
                if self._settled:
                    yield await self._settle(await self._gathered())
                elif self._finished():
                    return
                else:
                    self._news.clear()
                    await self._news.wait()
        finally:
            await self.close()

    async def _gathered(self) -> list[Performed]:
        """The next batch. While others are being performed, a few more may settle: a commit costs the same for all."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER):
                while len(self._settled) < min(len(self._open), MOST_IN_ONE_COMMIT) and self._failure is None:
                    self._news.clear()
                    await self._news.wait()
        batch, self._settled = self._settled[:MOST_IN_ONE_COMMIT], self._settled[MOST_IN_ONE_COMMIT:]
        return batch

    async def close(self) -> None:
        """Stop claiming and performing, and give back unharmed what was not saved."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._hear_the_claim()
            await self._give_back()

    async def _hear_the_claim(self) -> None:
        """A claim that was sent may have been granted: its answer says what else there is to give back."""
        if self._claim_sent is not None:
            await asyncio.wait({self._claim_sent}, timeout=CLAIM_PATIENCE)
            self._claim_sent.cancel()
            await asyncio.gather(self._claim_sent, return_exceptions=True)

    async def _give_back(self) -> None:
        unsaved = list(self._open.values())
        self._todo.clear()
        self._settled = []
        if unsaved:
            try:
                async with self.lent.link.held() as connection:
                    keys, tokens = [i.key for i in unsaved], [i.token for i in unsaved]
                    await connection.execute(self.queue.statements["release"].text, keys, tokens)
            except DatabaseDown:
                pass  # they are strays now: given back when the database returns, by whoever sees it first
        self._let_go(unsaved)

    def _let_go(self, items: Sequence[QueueItem]) -> None:
        held = self.lent.holdings.get(self.queue.name, set())
        for item in items:
            self._open.pop(item.token, None)
            held.discard(item.token)

    def _finished(self) -> bool:
        """The queue has no more to give; or we are leaving, and what no lane has begun is given back instead."""
        if not self.lent.claiming():
            return len(self._todo) == len(self._open)
        return self._exhausted and not self._open

    async def _watched(self, activity: Any) -> None:
        try:
            await activity
        except Exception as error:  # noqa: BLE001 - raised again where the body iterates
            self._failure = self._failure or error
            self._news.set()

    async def _feed(self, lanes: int) -> None:
        """Claim whenever fewer items wait than there are lanes. An empty answer ends it: the poll looks again."""
        appetite = Appetite(2 * lanes)
        while not self._exhausted:
            claimed: list[QueueItem] = []
            if self.lent.claiming():
                performed, self._performed_lately = self._performed_lately, 0
                self._claim_sent = asyncio.create_task(self._claim(appetite.next(performed)))
                claimed = await asyncio.shield(self._claim_sent)
            if claimed:
                self._todo.extend(claimed)
                self._work.set()
            else:
                self._exhausted = True
                self._news.set()
                self._work.set()
                return
            while len(self._todo) >= lanes:
                self._hungry.clear()
                await self._hungry.wait()

    async def _claim(self, most: int) -> list[QueueItem]:
        held = self.lent.holdings.setdefault(self.queue.name, set())
        async with self.lent.link.held() as connection:
            rows = await connection.fetch(self.queue.statements["claim"].text, most, self.lent.node())
            items = [QueueItem(r["key"], r["token"], r["attempts"], r["failures"], r["priority"]) for r in rows]
            held.update(item.token for item in items)
            self._open.update((item.token, item) for item in items)
        return sorted(items, key=lambda item: (item.priority, item.key))

    async def _lane(self) -> None:
        """One item at a time, until the feeder has nothing more. One limit serves many short items, being dearer
        than they are; whoever outstays it costs only itself."""
        patience = self.timeout.total_seconds() + LATITUDE  # the worker's own deadline comes first
        now = asyncio.get_running_loop().time
        item = await self._next()
        while item is not None:
            try:
                async with asyncio.timeout_at(set_at := now() + patience) as limit:
                    while item is not None and not limit.expired():
                        if (at := now() + patience) - set_at > LATITUDE / 2:
                            limit.reschedule(set_at := at)
                        self._add(await self._performed(item))
                        item = self._pop()
            except TimeoutError as error:
                assert item is not None
                self._add(Performed(item, error=reason(error)))
                item = self._pop()
            item = item or await self._next()

    def _pop(self) -> QueueItem | None:
        """An item to begin now, if there is one."""
        if not self._todo or not self.lent.claiming():
            return None
        self._hungry.set()
        return self._todo.popleft()

    async def _next(self) -> QueueItem | None:
        """The next item when there is one; None when there will be none."""
        while (item := self._pop()) is None:
            if self._exhausted or not self.lent.claiming():
                self._news.set()
                return None
            self._work.clear()
            await self._work.wait()
        return item

    def _add(self, performed: Performed) -> None:
        self._settled.append(performed)
        self._performed_lately += 1
        self._news.set()

    async def _performed(self, item: QueueItem) -> Performed:
        """The item's value or why there is none. One bad item costs only itself."""
        try:
            return Performed(item, value=await self.perform(item))
        except DatabaseDown:
            raise
        except Postponed as error:
            return Performed(item, postponed=error)
        except (PoolClosed, WorkerStartError) as error:  # not begun, so not the item's doing
            return Performed(item, postponed=Postponed(str(error)))
        except Exception as error:  # noqa: BLE001 - kept on the item, which is tried again or given up
            return Performed(item, error=reason(error))

    async def _settle(self, batch: Sequence[Performed]) -> Drained:
        """Save what succeeded in one transaction; if it is refused, halve it until the culprit stands alone."""
        put_off, bad = sorted_out(batch, others_done=self._some_done)
        fine = (p for p in batch if p.error is None and p.postponed is None)
        good = sorted(((p.item, p.value) for p in fine), key=lambda pair: pair[0].key)
        self._some_done |= bool(good)
        results: list[Any] = []
        while_refused = [good] if good else []
        while while_refused:
            part = while_refused.pop()
            try:
                results += await self._save(part)
            except (DatabaseDown, Fenced):
                raise
            except Exception as error:  # noqa: BLE001 - halved until it is one item's, and kept there
                if is_no_rows_doing(error, alone=len(part) == 1):
                    self._blame_the_run(error)
                    put_off += [(item, Postponed(reason(error))) for item, _ in part]
                elif len(part) == 1:
                    bad.append((part[0][0], reason(error)))
                else:
                    while_refused += [part[len(part) // 2 :], part[: len(part) // 2]]
        failed, dead = await self._fail(bad) if bad else (0, 0)
        postponed = await self._postpone(put_off) if put_off else 0
        self._let_go([p.item for p in batch])
        self.context.still_alive()
        self.lent.announce(ItemsFinished(self.queue.name, len(results), failed, dead, postponed))
        return Drained(len(results), failed, dead, results, postponed)

    async def _save(self, pairs: Sequence[tuple[QueueItem, Any]]) -> list[Any]:
        """One transaction: take off the queue what is still ours, and save it. A lost item drops out."""
        async with self.context.transaction() as tx:
            keys, tokens = [i.key for i, _ in pairs], [i.token for i, _ in pairs]
            ours = {row["key"] for row in await tx.fetch(self.queue.statements["take"], keys, tokens)}
            kept = [pair for pair in pairs if pair[0].key in ours]
            if kept:
                await self.save(tx, kept)
        return [value for _, value in kept]

    async def _postpone(self, put_off: Sequence[tuple[QueueItem, Postponed]]) -> int:
        """Back to the queue at no cost, with one line in the log however many there are."""
        put_off = sorted(put_off, key=lambda pair: pair[0].key)
        delays = [seconds_off(item, why, first=self.lent.retry_base) for item, why in put_off]
        async with self.context.transaction() as tx:
            keys, tokens = [i.key for i, _ in put_off], [i.token for i, _ in put_off]
            reasons = [str(why)[:ERROR_LENGTH] for _, why in put_off]
            rows = await tx.fetch(self.queue.statements["postpone"], keys, tokens, reasons, delays)
        if rows:
            text = f"{self.queue.name}: {len(rows)} postponed: {rows[0]['last_error']}"
            self.lent.announce(Note("INGESTION", text, warning=True))
        return len(rows)

    def _blame_the_run(self, error: Exception) -> None:
        """The run fails once this batch is settled; only a deadlock is everyday."""
        if not isinstance(error, asyncpg.TransactionRollbackError):
            self._failure = self._failure or error

    async def _fail(self, bad: Sequence[tuple[QueueItem, str | None]]) -> tuple[int, int]:
        bad = sorted(bad, key=lambda pair: pair[0].key)
        async with self.context.transaction() as tx:
            if self.save_failures is not None:
                await self.save_failures(tx, [(item, error or "") for item, error in bad])
            rows = await tx.fetch(
                self.queue.statements["fail"],
                [i.key for i, _ in bad], [i.token for i, _ in bad], [error for _, error in bad],
                self.queue.max_failures, [False for _ in bad], self.lent.retry_base,
            )  # fmt: skip
        dead = [row for row in rows if row["state"] == "DEAD"]
        for row in dead:
            self.lent.announce(ItemDied(self.queue.name, row["key"], row["last_error"]))
        return len(rows) - len(dead), len(dead)
