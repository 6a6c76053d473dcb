"""A value of a report as people read it, and as programs do. Pure; nothing is rounded that is written for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import Any

from daemon import in_words
from daemon.currency import currency_places
from daemon.report import Column, Unit

NOTHING = in_words.NOTHING
HUNDREDTH, THOUSANDTH = Decimal("0.01"), Decimal("0.001")


def told(column: Column, row: Mapping[str, Any]) -> str:
    """`1,234.50`, `41.2 %`, `2026-11`, `3 min 20 s`; a dash for what is not known."""
    value = known(row[column.name])
    if value is None:
        return NOTHING
    if column.unit is Unit.MONEY:
        return f"{_amount(column, row):,f}"
    return TOLD[column.unit](value)


def plain(column: Column, row: Mapping[str, Any]) -> str:
    """`1234.50`, `0.4123`, `2026-11-01`, `200`: exact, with a point and no separators; empty for what is not known."""
    value = known(row[column.name])
    if value is None:
        return ""
    if column.unit is Unit.MONEY:
        return f"{_amount(column, row):f}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def known(value: Any) -> Any:
    """None for a figure that is none, such as NaN, which `numeric` may hold."""
    return None if isinstance(value, Decimal | float) and not isfinite(value) else value


def _amount(column: Column, row: Mapping[str, Any]) -> Decimal:
    """In the places of its currency, and in more where it has them: nothing is rounded away."""
    amount = Decimal(row[column.name])
    has = -int(amount.normalize().as_tuple().exponent)
    places = max(currency_places(str(row[column.currency or ""] or "")), has)
    return amount.quantize(Decimal(1).scaleb(-places))


def share(value: Decimal | float, places: int = 1) -> str:
    """0.4123 is 41.2 %, half up."""
    per_cent = (100 * Decimal(str(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{per_cent:,f} %"


def _number(value: Decimal | float) -> str:
    """Two places, three of what is less than one, without zeros at the end; small ones with two figures that say
    something."""
    exact = Decimal(str(value))
    if exact and abs(exact) < HUNDREDTH:
        return f"{exact:.2g}"
    places = HUNDREDTH if abs(exact) >= 1 else THOUSANDTH
    whole, _, rest = f"{exact.quantize(places, ROUND_HALF_UP):,f}".partition(".")
    return f"{whole}.{rest.rstrip('0')}" if rest.rstrip("0") else whole


TOLD: Mapping[Unit, Callable[[Any], str]] = {
    Unit.TEXT: str,
    Unit.DAY: date.isoformat,
    Unit.MONTH: lambda value: f"{value:%Y-%m}",
    Unit.INSTANT: lambda value: f"{value.astimezone(UTC):%Y-%m-%d %H:%M}",
    Unit.COUNT: lambda value: f"{int(value):,}",
    Unit.NUMBER: _number,
    Unit.SHARE: share,
    Unit.SECONDS: lambda value: in_words.duration(float(value)),
    Unit.MILLISECONDS: lambda value: f"{_number(value)} ms",
    Unit.BYTES: lambda value: in_words.size(float(value)),
    Unit.YES_NO: lambda value: "yes" if value else "no",
}
