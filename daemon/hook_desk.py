"""Answers calls from outside to suites' hooks: read by the suite, kept in the database, told to whoever counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg

from daemon.database import DatabaseDown, Link
from daemon.events import Event, HookAnswered, Note
from daemon.hook import HookCall, Refused
from daemon.hook_rows import HookRows, Looks
from daemon.suite_hooks import SuiteHook

PATIENCE = 4.0
"""Who calls us wants an answer within five seconds."""
STATUSES = (200, 400, 401, 404, 405, 413, 422, 500, 503)


@dataclass(frozen=True, slots=True)
class Reply:
    """One line of plain text."""

    status: int
    words: str
    headers: tuple[tuple[str, str], ...] = ()
    content_type = "text/plain; charset=utf-8"

    @property
    def octets(self) -> bytes:
        return f"{self.words}\n".encode()


KEPT = Reply(200, "kept")
ONLY_POST = Reply(405, "only POST", (("Allow", "POST"),))
TOO_LONG = Reply(413, "too long")
NOT_NOW = Reply(503, "cannot be kept just now", (("Retry-After", "60"),))
FAULT = Reply(500, "this is our fault")


class HookDesk:
    """`settings` is suite → its settings."""

    def __init__(
        self,
        hooks: Mapping[str, SuiteHook],
        settings: Mapping[str, Any],
        link: Link,
        emit: Callable[[Event], None],
    ) -> None:
        self._hooks, self._settings, self._emit = hooks, settings, emit
        looks: Looks = WeakKeyDictionary()
        self._rows = {path: HookRows(link, found.suite, found.hook.keep, looks) for path, found in hooks.items()}

    def longest_body(self, path: str) -> int | None:
        """Octets that a call may have; None where there is no such hook."""
        found = self._hooks.get(path)
        return None if found is None else found.hook.longest_body

    async def answer(self, path: str, method: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """To a call of a hook that there is. Never raises."""
        reply = await self._reply(self._hooks[path], method, HookCall(headers, body))
        return self.counted(path, reply)

    def counted(self, path: str, reply: Reply) -> Reply:
        self._emit(HookAnswered(self._hooks[path].suite, path, reply.status))
        return reply

    async def _reply(self, found: SuiteHook, method: str, call: HookCall) -> Reply:
        if method != "POST":
            return ONLY_POST
        try:
            read = found.hook.read(call, self._settings.get(found.suite))
        except Exception as error:  # noqa: BLE001 - a suite's code may raise anything; a stranger learns nothing of it
            return self._fault(found, error)
        if isinstance(read, Refused):
            return Reply(read.status, read.words)
        return await self._kept(found, read.row)

    async def _kept(self, found: SuiteHook, row: tuple[object, ...]) -> Reply:
        """What is not kept in time may be kept all the same; the caller's next try then finds it there."""
        keeping = asyncio.ensure_future(self._rows[found.path].kept(row))
        keeping.add_done_callback(_heard)
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(keeping)
        except (DatabaseDown, TimeoutError):
            return NOT_NOW
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            self._tell(found, error)
            return Reply(422, "refused by the database")
        except Exception as error:  # noqa: BLE001 - told to whoever operates us; a stranger learns nothing of it
            return self._fault(found, error)
        return KEPT

    def _fault(self, found: SuiteHook, error: Exception) -> Reply:
        self._tell(found, error)
        return FAULT

    def _tell(self, found: SuiteHook, error: Exception) -> None:
        self._emit(Note("PUBLIC", f"POST {found.path}: {type(error).__name__}: {error}", warning=True))


def _heard(keeping: asyncio.Future[None]) -> None:
    """An error that comes when the caller has been answered already is nobody's news."""
    if not keeping.cancelled():
        keeping.exception()
