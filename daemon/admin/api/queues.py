"""Work queues: how deep, how old, which items were given up; to try those again, or let them go."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, Strict, StrictBool, model_validator

from daemon.actions_items import MOST_DISCARDED, Chosen, discard_items, retry_items
from daemon.admin.access import Operator, Viewer
from daemon.admin.models import Text, Why
from daemon.admin.paging import Cursor, Limit, Page, decoded, page_of
from daemon.admin.problems import Problematic, described
from daemon.admin.state import AdminState, State
from daemon.naming import did_you_mean
from daemon.queue import WorkQueue

MOST_REQUEUED = 10_000

router = APIRouter(prefix="/api/v1/queues", tags=["queues"])
Key = Annotated[int, Strict(), Field(ge=-(2**63), lt=2**63)]
Matching = Annotated[Text | None, Field(max_length=500, description="Those whose error contains this.")]


class Depth(BaseModel):
    """`oldest_age_s`: how long the oldest item that is ready has been in the queue."""

    name: str
    ready: int
    running: int
    dead: int
    oldest_age_s: float


class Item(BaseModel):
    key: int
    state: str
    priority: int
    enqueued_at: datetime
    next_attempt_at: datetime
    attempts: int
    failures: int
    rescues: int
    last_error: str | None


class Choice(Why):
    """Which dead items: of these keys, with this in their error, both, or with `all` every one."""

    keys: Annotated[list[Key] | None, Field(min_length=1, max_length=1000)] = None
    error: Matching = None
    all: StrictBool = False

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.all == (self.keys is not None or bool(self.error)):
            raise ValueError("say which: keys, error, or all: true")
        return self


class Done(BaseModel):
    """The keys of what was done; `more`: there may be others that fit, so ask again."""

    keys: list[int]
    more: bool


def queue_named(state: AdminState, name: str) -> WorkQueue:
    """Raises 404 with the nearest name."""
    queues = state.catalogue.queues
    if name not in queues:
        raise Problematic(404, f"there is no queue {name!r}{did_you_mean(name, queues)}")
    return queues[name]


@router.get("")
async def list_queues(state: State, _: Viewer) -> list[Depth]:
    """Every queue of this configuration."""
    return [await depth(state, queue) for _, queue in sorted(state.catalogue.queues.items())]


async def depth(state: AdminState, queue: WorkQueue) -> Depth:
    row = await state.database.fetchrow(queue.statements["depth"])
    assert row is not None
    return Depth(name=queue.name, **row)


@router.get("/{queue}", responses=described(404))
async def show_queue(state: State, _: Viewer, queue: str) -> Depth:
    """One queue."""
    return await depth(state, queue_named(state, queue))


@router.get("/{queue}/items", responses=described(404))
async def list_items(
    state: State, _: Viewer, queue: str, limit: Limit = 50, cursor: Cursor = None,
    in_state: Annotated[Literal["READY", "RUNNING", "DEAD"], Query(alias="state")] = "DEAD",
    error: Annotated[Text | None, Query(max_length=500, description="Those whose error contains this.")] = None,
) -> Page[Item]:  # fmt: skip
    """Items by key; the dead ones unless others are asked for."""
    (after,) = decoded(cursor, int)
    statement = queue_named(state, queue).statements["items"]
    rows = await state.database.fetch(statement, in_state, error or None, after, limit + 1)
    return page_of(rows, limit, lambda row: Item(**row), lambda row: (row["key"],))


@router.post("/{queue}/requeue", responses=described(404, 409))
async def requeue(state: State, caller: Operator, queue: str, body: Choice) -> Done:
    """Dead items are ready again, with all their tries."""
    found, chosen = queue_named(state, queue), Chosen(body.keys, body.error, MOST_REQUEUED)
    async with state.database.acting() as connection:
        keys = await retry_items(connection, caller.actor(body.reason), found, chosen)
    return Done(keys=keys, more=len(keys) == MOST_REQUEUED)


@router.post("/{queue}/discard", responses=described(404, 409))
async def discard(state: State, caller: Operator, queue: str, body: Choice) -> Done:
    """Dead items leave the queue without having been done. The audit keeps what they were."""
    found, chosen = queue_named(state, queue), Chosen(body.keys, body.error)
    async with state.database.acting() as connection:
        keys = await discard_items(connection, caller.actor(body.reason), found, chosen)
    return Done(keys=keys, more=len(keys) == MOST_DISCARDED)
