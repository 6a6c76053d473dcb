"""What requests and answers of several routes are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from starlette.responses import Response

from daemon.actions_deed import Changed
from daemon.admin.etag import REVISION
from daemon.jsonable import keeps

ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:")
FIRST_YEAR, LAST_YEAR = 1900, 9000
"""Every zone can tell them, with room for what comes before and after."""
UNSTORABLE = "write text without NUL and lone surrogates: the database keeps neither"


def _storable(text: str) -> str:
    if "\0" in text or any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise ValueError(UNSTORABLE)
    return text


Text = Annotated[str, AfterValidator(_storable)]


def _jsonable(value: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (ValueError, RecursionError):
        raise ValueError("write JSON: no NaN, no infinity, not nested without end") from None
    if not keeps(text):
        raise ValueError(UNSTORABLE)
    return value


def _written_out(value: object) -> object:
    """ISO 8601 and nothing else: seconds since 1970 are a mistake more often than an instant."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and ISO.match(value)):
        raise ValueError("write an instant with its offset, such as 2026-11-22T15:30:00+01:00")
    return value


def _in_reach(at: datetime) -> datetime:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"choose a year from {FIRST_YEAR} to {LAST_YEAR}")
    return at


Arguments = Annotated[dict[Text, Any], AfterValidator(_jsonable)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_reach)]
"""With an offset, so that nobody has to guess the zone."""
Reason = Annotated[Text | None, Field(max_length=1000, description="Why, for the audit. Sensitive jobs ask for it.")]
RunId = Annotated[int, Field(ge=1, lt=2**63)]


class Request(BaseModel):
    """A body of ours: a key that it does not know is a mistake of the sender."""

    model_config = ConfigDict(extra="forbid")


class Why(Request):
    reason: Reason = None


class SomeRuns(Why):
    runs: list[Annotated[RunId, Strict()]] = Field(min_length=1, max_length=500)


class ChangedRun(BaseModel):
    """A run after an action, and the state it was in before. One that still says `running` was asked to stop.
    `not_awaited`: a sentence for each dependency that a run does not wait for, because a person had it tried again.
    """

    id: int
    job: str
    due_at: datetime
    was: str
    state: str
    not_awaited: list[str] = []

    @classmethod
    def of(cls, run: Changed, not_awaited: Sequence[str] = ()) -> ChangedRun:
        return cls(
            id=run.id, job=run.job, due_at=run.due_at, was=run.was, state=run.state, not_awaited=list(not_awaited)
        )


def revised(response: Response, revision: int) -> None:
    """The answer is about something with a revision: its ETag begins with it."""
    response.headers[REVISION] = str(revision)
