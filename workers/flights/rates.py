"""The rate card: what each charging zone asks per service unit, by date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from workers.flights.charge import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRate:
    """One zone's rate from `valid_from` up to, not including, `valid_until` (None: until further notice).

    Terminal rates also carry the weight's exponent and whether a landing or a departure is charged.
    """

    zone: str
    kind: Kind
    rate: Decimal
    currency: str
    valid_from: date
    valid_until: date | None = None
    exponent: Decimal | None = None
    charged_on: str | None = None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


class RateCard:
    """All unit rates; of one zone and kind at most one holds on a day, which the database enforces."""

    def __init__(self, rates: Iterable[UnitRate]) -> None:
        self._rates: dict[tuple[str, Kind], list[UnitRate]] = {}
        for rate in rates:
            self._rates.setdefault((rate.zone, rate.kind), []).append(rate)

    def find(self, zone: str, kind: Kind, day: date) -> UnitRate | None:
        return next((rate for rate in self._rates.get((zone, kind), ()) if rate.holds_on(day)), None)
