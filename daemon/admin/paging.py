"""Lists in pages by key: a page says where the next one begins, and rows that come or go meanwhile shift nothing."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel, Field

from daemon.admin.problems import Problematic

T = TypeVar("T")
MOST = 500

Limit = Annotated[int, Query(ge=1, le=MOST, description="At most so many.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before.")]


class Page(BaseModel, Generic[T]):
    """`next` is the cursor of the page after this one; null on the last."""

    items: list[T]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


def asked(**terms: str | None) -> str:
    """The query of an address that asks for the same page again; what is empty is left out."""
    return urlencode({name: value for name, value in terms.items() if value})


def page_of(
    rows: Sequence[Any], limit: int, item: Callable[[Any], T], key: Callable[[Any], tuple[Any, ...]]
) -> Page[T]:
    """The first `limit` of the rows, of which one more was asked for; `key` is what they are ordered by."""
    shown = rows[:limit]
    return Page(items=[item(row) for row in shown], next=encoded(key(shown[-1])) if len(rows) > limit else None)


def encoded(key: tuple[Any, ...]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in key]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).rstrip(b"=").decode()


def decoded(cursor: str | None, *kinds: type) -> tuple[Any, ...]:
    """The key a cursor stands for, as values of these kinds; Nones without one. Raises 422 if it is none of ours."""
    if cursor is None:
        return (None,) * len(kinds)
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError(cursor)  # noqa: TRY301 - caught below with what json and base64 raise
        return tuple(_as(kind, value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise Problematic(422, f"cursor: {cursor!r} is not one of ours; take `next` of the page before") from error


def _as(kind: type, value: Any) -> Any:
    if kind is datetime:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError(value)
        return at
    if type(value) is not kind or (isinstance(value, int) and abs(value) >= 2**63):
        raise ValueError(value)
    return value
