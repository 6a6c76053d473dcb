"""Whether a day comes to so much more than the days before it that a person should look first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from statistics import median

FEWEST_DAYS = 3
"""Fewer than these say nothing: a house that has just opened doubles every day."""


def excess(totals: Mapping[str, Decimal], earlier: Iterable[tuple[date, str, Decimal]], factor: Decimal) -> str | None:
    """Why this day waits, one reason for all its currencies; None if it may be paid.

    `totals` is what the day would come to by currency; `earlier` what each of the last days came to. A currency is
    compared with its own median; a day on which nothing of it was paid counts as zero once the currency is known.
    """
    days: dict[date, dict[str, Decimal]] = {}
    for day, currency, amount in earlier:
        days.setdefault(day, {})[currency] = amount
    reasons = []
    for currency, total in sorted(totals.items()):
        known = [day for day, amounts in days.items() if currency in amounts]
        history = [days[day].get(currency, Decimal(0)) for day in days if known and day >= min(known)]
        if len(history) < FEWEST_DAYS:
            continue
        usual = median(history)
        if total > factor * usual:
            reasons.append(
                f"{total} {currency} is more than {factor} times the usual {usual:.2f} of {len(history)} days"
            )
    return "; ".join(reasons) or None
