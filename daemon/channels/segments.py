"""How long a text is as SMS. Pure. 3GPP TS 23.038: the GSM alphabet of 7 bits, else UCS-2."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_ESCAPED = frozenset("^{}\\[~]|€\f")  # two places each
SINGLE = {"GSM-7": 160, "UCS-2": 70}
JOINED = {"GSM-7": 153, "UCS-2": 67}  # less the header that puts the segments together again


@dataclass(frozen=True, slots=True)
class Segments:
    encoding: Literal["GSM-7", "UCS-2"]
    count: int


def segments(text: str) -> Segments:
    """How a text is sent. A character of two places (`€`, an emoji) is never cut in two."""
    gsm = all(c in GSM_BASIC or c in GSM_ESCAPED for c in text)
    encoding: Literal["GSM-7", "UCS-2"] = "GSM-7" if gsm else "UCS-2"
    places = [_places(c, encoding) for c in text]
    if sum(places) <= SINGLE[encoding]:
        return Segments(encoding, 1)
    return Segments(encoding, _packed(places, JOINED[encoding]))


def _places(character: str, encoding: str) -> int:
    twice = character in GSM_ESCAPED if encoding == "GSM-7" else character > "\uffff"
    return 2 if twice else 1


def _packed(places: Iterable[int], room: int) -> int:
    count, used = 1, 0
    for width in places:
        if used + width > room:
            count, used = count + 1, 0
        used += width
    return count
