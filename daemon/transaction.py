"""What a job body holds while a transaction or a snapshot is open. No I/O is imported here, as in `daemon.job`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from daemon.sql import Statement


class Row(Protocol):
    """One row of an answer: `row["column"]`."""

    def __getitem__(self, key: str, /) -> Any: ...
    def keys(self) -> Iterable[str]: ...


class Transaction(Protocol):
    """A fenced transaction on the job's own connection; COMMIT happens only while the run is still ours."""

    async def fetch(self, statement: Statement, *args: object) -> Sequence[Row]: ...
    async def fetchrow(self, statement: Statement, *args: object) -> Row | None: ...
    async def fetchval(self, statement: Statement, *args: object) -> Any: ...
    async def execute(self, statement: Statement, *args: object) -> int:
        """Run it and return the number of rows it touched."""
        ...

    async def copy_records(self, table: str, columns: Sequence[str], records: Sequence[Sequence[object]]) -> int:
        """Binary COPY into `schema.table`; returns the number of rows."""
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]: ...

    async def notify(
        self,
        template: str,
        *,
        key: str,
        to: str | int | None = None,
        address: str | None = None,
        channel: str = "email",
        data: Mapping[str, Any] | None = None,
        kind: str = "transactional",
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> bool:
        """Leave a message in this transaction; it is sent after the COMMIT, or never if there is none.

        `key` names the message: the same key never makes a second one, and the answer is then False. `to` is an id
        in the suite's view `sexton_recipient`; `address` is given instead. `channel`: email, sms, slack or discord
        (the last two need neither). `kind`: transactional, security, promotional or alert. `data` is what the
        template `templates/<template>.*` is given, as JSON keeps it. Raises `MessageError` (a `ValueError`) for
        what cannot be sent: no such template, no receiver, a key that another suite has taken.
        """
        ...

    def result(self, value: object) -> None:
        """What the run reports: a mapping, a dataclass or anything JSON can say. Committed with the effects."""
        ...


class Reader(Protocol):
    """A read-only snapshot or an autocommit connection: the same calls without a fence."""

    async def fetch(self, statement: Statement, *args: object) -> Sequence[Row]: ...
    async def fetchrow(self, statement: Statement, *args: object) -> Row | None: ...
    async def fetchval(self, statement: Statement, *args: object) -> Any: ...
    async def execute(self, statement: Statement, *args: object) -> int: ...
