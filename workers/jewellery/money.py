"""Amounts in the smallest units of their currency, as payment providers count them, and as people read them. Pure."""

from __future__ import annotations

from decimal import Decimal

# ISO 4217: currencies whose smallest unit is not a hundredth.
OF_CURRENCY = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"), 0),
    **dict.fromkeys(("VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def places(currency: str) -> int:
    """Decimal places of a currency's smallest unit: INR 2, JPY 0, KWD 3."""
    return OF_CURRENCY.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """12.34 INR → 1234 paise. Raises `ValueError` for an amount that the currency has no coin for."""
    minor = amount.scaleb(places(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} {currency}: the currency has {places(currency)} decimal places")
    return int(minor)


def from_minor(minor: int, currency: str) -> Decimal:
    """1234 paise → 12.34 INR."""
    return Decimal(minor).scaleb(-places(currency))


def said(amount: Decimal, currency: str) -> str:
    """`INR 1,234.50`. An amount with more places than its currency keeps them: nothing is rounded away in words."""
    shown = max(places(currency), -int(amount.normalize().as_tuple().exponent))
    return f"{currency} {amount:,.{shown}f}"
