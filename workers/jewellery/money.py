"""Amounts in the smallest units of their currency, as payment providers count them, and as people read them. Pure."""

from __future__ import annotations

from decimal import Decimal

from daemon import currency_places


def to_minor(amount: Decimal, currency: str) -> int:
    """12.34 INR → 1234 paise. Raises `ValueError` for an amount that the currency has no coin for."""
    minor = amount.scaleb(currency_places(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} {currency}: the currency has {currency_places(currency)} decimal places")
    return int(minor)


def from_minor(minor: int, currency: str) -> Decimal:
    """1234 paise → 12.34 INR."""
    return Decimal(minor).scaleb(-currency_places(currency))


def said(amount: Decimal, currency: str) -> str:
    """`INR 1,234.50`. An amount with more places than its currency keeps them: nothing is rounded away in words."""
    shown = max(currency_places(currency), -int(amount.normalize().as_tuple().exponent))
    return f"{currency} {amount:,.{shown}f}"
