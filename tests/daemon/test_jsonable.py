"""What a run reports becomes JSON that PostgreSQL keeps, or is refused by name; nothing in between."""

from __future__ import annotations

import json
from collections import ChainMap
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon import CatchUp, Drained
from daemon.jsonable import to_json


class Colour(Enum):
    RED = "red"


@dataclass
class Paid:
    amount: Decimal
    at: datetime


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ({"a": 1, "b": [True, None]}, '{"a":1,"b":[true,null]}'),
        (Decimal("10.10"), '"10.10"'),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), '"2026-03-01T12:00:00+00:00"'),
        (date(2026, 3, 1), '"2026-03-01"'),
        (timedelta(minutes=1.5), "90.0"),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Colour.RED, '"red"'),
        ({1}, "[1]"),
        ((1, 2), "[1,2]"),
        (ChainMap({"a": 1}), '{"a":1}'),
        (Paid(Decimal("0.30"), datetime(2026, 3, 1, tzinfo=UTC)), '{"amount":"0.30","at":"2026-03-01T00:00:00+00:00"}'),
        (Drained(done=2), '{"done":2,"failed":0,"dead":0,"results":[],"postponed":0}'),
        (CatchUp.EACH(3), '{"kind":"each","limit":3}'),
        ("Zürich ✈", '"Zürich ✈"'),
    ],
)
def test_a_value_has_one_exact_form(value: object, text: str) -> None:
    assert to_json(value) == text


@pytest.mark.parametrize(("value", "kind"), [(object(), "object"), (b"x", "bytes"), (Paid, "type"), (1j, "complex")])
def test_what_has_no_such_form_is_refused_by_its_type(value: object, kind: str) -> None:
    with pytest.raises(TypeError, match=f"a {kind} cannot be kept as JSON"):
        to_json({"deep": [value]})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json({"rate": value})


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\x00b", "a\ufffdb"),
        ("\ud800", "?"),
        ("\\u0000", "\\u0000"),
        ("\\\x00", "\\\ufffd"),
        ("\\\\u0000", "\\\\u0000"),
    ],
)
def test_text_that_postgresql_cannot_keep_is_replaced_and_nothing_else(value: str, kept: str) -> None:
    assert json.loads(to_json([value])) == [kept]


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None, exclude_categories=())) | st.decimals(allow_nan=False) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(value=anything)
async def test_whatever_is_not_refused_postgresql_keeps(connection: asyncpg.Connection, value: Any) -> None:
    await connection.execute("SELECT $1::jsonb", to_json(value))
