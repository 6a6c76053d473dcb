"""The outbox as the delivery loop sees it, on a connection of its own, so that no tick waits behind mail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from daemon import sql
from daemon.database import Link, means_lost
from daemon.delivery_rules import Settlement, Suppression
from daemon.jsonable import storable
from daemon.outbox import OutboxRow, Recipient

CLAIM, NEXT_DUE, SUPPRESSIONS, SETTLE, SUPPRESS, DISABLE, ENABLE, RELEASE_STRAYS, RESCUE, COUNTS = sql.load(
    str(Path(__file__).with_name("outbox.sql")), "claim", "next_due", "suppressions", "settle", "suppress", "disable",
    "enable", "release_strays", "rescue", "counts",
)  # fmt: skip
(SENDING_FOR_THE_DEAD,) = sql.load(str(Path(__file__).with_name("outbox.sql")), "sending_for_the_dead")
(RECIPIENTS,) = sql.load(str(Path(__file__).with_name("delivery_recipients.sql")), "recipients")

VIEW_PATIENCE = "20s"

People = dict[tuple[str, str], Recipient]
Suppressed = dict[tuple[str, str], Suppression]


class NoPeople(Exception):
    """A suite's view of its recipients cannot be read. Says which, and why."""


@dataclass
class DeliveryStore:
    """`held` are the tokens of messages that are somewhere in this process: claimed, being sent, or not yet settled."""

    link: Link
    node: Callable[[], UUID]
    held: set[int] = field(default_factory=set)

    async def claim(self, channel: str, most: int) -> tuple[UUID, list[OutboxRow]]:
        """Up to so many messages in the name of this node, which is returned with them. Raises `DatabaseDown`."""
        async with self.link.held() as connection:
            node = self.node()
            found = await connection.fetch(CLAIM.text, channel, most, node)
            # Still holding the link: nobody may take stock of what is ours before these count.
            self.held.update(row["token"] for row in found)
        urgent = ("security", "alert")
        found.sort(key=lambda r: (r["kind"] not in urgent, r["not_before"], r["id"]))
        return node, [_row(r) for r in found]

    async def next_due(self, channel: str) -> float | None:
        seconds: float | None = await self.link.fetchval(NEXT_DUE, channel)
        return seconds

    async def people(self, suite: str, ids: Iterable[str]) -> People:
        """The recipients that are there. Raises `NoPeople` when the view is missing, broken or too slow."""
        view = f"{suite}.sexton_recipient"
        try:
            async with self.link.held() as connection, connection.transaction(readonly=True):
                # Slowness of a suite's view must not look like a lost database.
                await connection.execute(f"SET LOCAL statement_timeout = '{VIEW_PATIENCE}'")
                rows = await connection.fetch(RECIPIENTS.on(view=view).text, sorted(set(ids)))
                return {(suite, r["id"]): _recipient(r) for r in rows}
        except (asyncpg.PostgresError, ValueError) as error:
            if means_lost(error):
                raise
            raise NoPeople(f"the view {view} cannot be read: {error}") from error

    async def suppressions(self, channel: str, asked: Sequence[tuple[str, str]]) -> Suppressed:
        rows = await self.link.fetch(SUPPRESSIONS, channel, [a[0] for a in asked], [a[1] for a in asked])
        return {(r["suite"], r["recipient"]): Suppression(r["reason"], r["address"]) for r in rows}

    async def settle(self, batch: Sequence[Settlement]) -> set[int]:
        """Write them in one transaction; the ids of those that were still ours. Raises `DatabaseDown`."""
        async with self.link.held() as connection:
            async with connection.transaction():
                rows = await connection.fetch(SETTLE.text, *_columns(batch))
                ours = {row["id"] for row in rows}
                await _suppress(connection, [s for s in batch if s.row.id in ours and s.suppression])
                for disabled in {s.row.channel: s.detail for s in batch if s.disables}.items():
                    await connection.execute(DISABLE.text, *disabled)
            self.held.difference_update(s.row.token for s in batch)
        return ours

    async def enable(self, channels: Sequence[str]) -> None:
        await self.link.fetch(ENABLE, list(channels))

    async def release_strays(self) -> None:
        """What the table says we hold and we do not: pending again, at no cost."""
        async with self.link.held() as connection:
            await connection.execute(RELEASE_STRAYS.text, self.node(), list(self.held))

    async def abandon(self, unwritten: Sequence[int]) -> None:
        """At the end: what nobody here will settle any more is as if this node had died. `unwritten` stays as it is."""
        await self.link.fetch(RESCUE, self.node(), list(unwritten))


def _row(r: asyncpg.Record) -> OutboxRow:
    return OutboxRow(
        id=r["id"], token=r["token"], suite=r["suite"], recipient=r["recipient"], address=r["address"],
        channel=r["channel"], template=r["template"], data=json.loads(r["data"]), kind=r["kind"],
        dedupe_key=r["dedupe_key"], expires_at=r["expires_at"], attempts=r["attempts"], failures=r["failures"],
    )  # fmt: skip


def _recipient(r: asyncpg.Record) -> Recipient:
    return Recipient(
        id=r["id"], email=r["email"], phone=r["phone"], timezone=r["timezone"], locale=r["locale"],
        quiet_start=r["quiet_start"], quiet_end=r["quiet_end"],
        opted_out=tuple(word.strip().lower() for word in r["opted_out"] or () if word is not None),
        deleted=r["deleted"],
    )  # fmt: skip


def _columns(batch: Sequence[Settlement]) -> tuple[list[Any], ...]:
    return (
        [s.row.id for s in batch],
        [s.row.token for s in batch],
        [s.state for s in batch],
        [storable(s.detail) for s in batch],
        [s.provider_id for s in batch],
        [s.at for s in batch],
        [s.unharmed for s in batch],
        [s.failed for s in batch],
    )


async def _suppress(connection: asyncpg.Connection, batch: Sequence[Settlement]) -> None:
    found = [(s.row, s.suppression) for s in batch if s.suppression is not None]
    if found:
        await connection.execute(
            SUPPRESS.text,
            [row.suite for row, _ in found],
            [row.recipient or row.address for row, _ in found],
            [row.channel for row, _ in found],
            [suppression.reason for _, suppression in found],
            [suppression.address for _, suppression in found],
        )
