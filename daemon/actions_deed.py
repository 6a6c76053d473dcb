"""What every action of a person has in common: who acts, one transaction, its audit rows, and how it is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from daemon import sql
from daemon.jsonable import to_json
from daemon.listen import CHANNEL

(AUDIT,) = sql.load(__file__, "audit")


class Refused(Exception):
    """The action makes no sense for what it was asked of. `problems` names each thing refused, with the remedy."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Missing(Refused):
    """Nothing of what was named is there."""


class Invalid(Refused):
    """What was given cannot be used, whatever the ledger says."""


class NeedsReason(Invalid):
    """Nobody does this who does not say why: `what` it is, without the way to say it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: say why with --reason")
        self.what = what


class Stale(Refused):
    """Somebody has changed it since the caller looked."""


class AlreadyCovered(Refused):
    """A run stands for this date or instant already: `run`, in `state`."""

    def __init__(self, run: int, state: str, text: str) -> None:
        super().__init__(text)
        self.run, self.state = run, state


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it, by which way (`cli`, `api 10.0.0.7`), and why, for the audit.

    `two_person`: sensitive jobs are re-run only when a second person agrees; `agreed_by` is who did.
    """

    who: str
    origin: str = "cli"
    reason: str | None = None
    two_person: bool = False
    agreed_by: str | None = None

    @property
    def told_reason(self) -> str | None:
        """The reason as the audit keeps it."""
        return f"{self.reason} (agreed by {self.agreed_by})" if self.agreed_by else self.reason


class NeedsSecond(Refused):
    """A second person has to agree first: to this `action` of `actor` on this sensitive `job`, with this `payload`."""

    def __init__(self, action: str, job: str, payload: Mapping[str, Any], actor: Actor) -> None:
        super().__init__(f"{job} is sensitive: a second person has to agree")
        self.action, self.job, self.payload, self.actor = action, job, payload, actor


@dataclass(frozen=True, slots=True)
class Changed:
    """A run after an action, and the state it was in. `strict`: later instants of its job wait for it."""

    id: int
    job: str
    due_at: datetime
    was: str
    state: str
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Paused:
    """`already`: it was paused before, by `by`, and stays so."""

    job: str
    by: str
    at: datetime
    already: bool


@dataclass
class Deed:
    """The transaction of one action; what it did is collected here, then audited and announced."""

    connection: asyncpg.Connection
    rows: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    news: dict[str, None] = field(default_factory=dict)

    async def fetch(self, statement: sql.Statement, *args: object) -> Sequence[asyncpg.Record]:
        return await self.connection.fetch(statement.text, *args)

    def did(self, target: str, before: Mapping[str, Any], after: Mapping[str, Any], news: str) -> None:
        """One audit row: the target, what it was and what it became; `news` is the NOTIFY that tells of it."""
        self.rows.append((target, to_json(before) if before else None, to_json(after)))
        self.news[news] = None


@asynccontextmanager
async def deed(connection: asyncpg.Connection, actor: Actor, action: str) -> AsyncIterator[Deed]:
    """BEGIN … audit, COMMIT, NOTIFY. An exception undoes everything; a deed that did nothing leaves no trace."""
    async with connection.transaction():
        doing = Deed(connection)
        yield doing
        if doing.rows:
            columns = [list(column) for column in zip(*doing.rows, strict=True)]
            await connection.execute(AUDIT.text, actor.who, actor.origin, action, actor.told_reason, *columns)
    # Not inside: a COMMIT that notifies waits for a lock which all notifying transactions share.
    for payload in doing.news:
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
