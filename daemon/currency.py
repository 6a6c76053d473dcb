"""How many decimal places an amount of a currency has."""

from __future__ import annotations

# ISO 4217: currencies whose smallest unit is not a hundredth.
OF_CURRENCY = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"), 0),
    **dict.fromkeys(("VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def currency_places(currency: str) -> int:
    """Decimal places of a currency's smallest unit: INR 2, JPY 0, KWD 3."""
    return OF_CURRENCY.get(currency, 2)
