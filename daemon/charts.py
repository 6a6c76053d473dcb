"""Bar charts for mails. Words and figures stand beside the picture as HTML, for who sees no pictures."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal

from daemon.png import Colour, encode

WIDTH, HEIGHT = 560, 120
GAP = 2
MOST_BARS = WIDTH // (GAP + 1)
PAPER, LINE, ABOVE, BELOW = range(4)
PALETTE: tuple[Colour, ...] = ((255, 255, 255, 0), (138, 140, 144), (58, 124, 194), (208, 84, 68))
"""On nothing: each can be told from white and from the dark that mail programs make of it."""


def bars(values: Sequence[Decimal | int]) -> bytes:
    """A PNG of one bar per value, left to right, on a line at zero; losses hang below it.

    The highest and the lowest together fill the height. Raises `ValueError` for more values than there is room for.
    """
    if len(values) > MOST_BARS:
        raise ValueError(f"{len(values)} bars do not fit into {WIDTH} pixels")
    zero, heights = scaled(values)
    slot = WIDTH // max(len(values), 1)
    gap = max(GAP, slot // 6)
    rows = []
    for y in range(HEIGHT):
        row = bytearray([LINE if y == zero else PAPER]) * WIDTH
        for i, height in enumerate(heights):
            if height > 0 and zero - height <= y < zero:
                row[i * slot : (i + 1) * slot - gap] = bytes([ABOVE]) * (slot - gap)
            elif height < 0 and zero < y <= zero - height:
                row[i * slot : (i + 1) * slot - gap] = bytes([BELOW]) * (slot - gap)
        rows.append(bytes(row))
    return encode(rows, PALETTE)


def scaled(values: Sequence[Decimal | int]) -> tuple[int, list[int]]:
    """The row of the line at zero, and each bar's height in pixels, negative below the line.

    What is not zero has a pixel at least, so that little and nothing differ.
    """
    top, bottom = max([0, *values]), min([0, *values])
    room = HEIGHT - 1
    if top == bottom:
        return room, [0] * len(values)
    pixels = [int(room * value / (top - bottom)) or (value > 0) - (value < 0) for value in values]
    lowest = min(0, *pixels)
    zero = room + lowest
    return zero, [min(height, zero) for height in pixels]


def bar_charts(series: Mapping[str, Sequence[Decimal | int]]) -> tuple[list[dict[str, str]], dict[str, str]]:
    """One chart a title, of what is not zero throughout: for the template's words (cid, title, highest, lowest), and
    the pictures as `data["images"]` of a message takes them."""
    drawn = {f"chart{n}": title for n, title in enumerate((t for t, values in series.items() if any(values)), 1)}
    words = [
        {"cid": cid, "title": title, "highest": f"{max(series[title]):,}", "lowest": f"{min(series[title]):,}"}
        for cid, title in drawn.items()
    ]
    return words, inline({cid: series[title] for cid, title in drawn.items()})


def inline(charts: Mapping[str, Sequence[Decimal | int]]) -> dict[str, str]:
    """Content id → PNG in base64, as the outbox takes inline images; empty series have no picture."""
    return {cid: b64encode(bars(values)).decode() for cid, values in charts.items() if any(values)}
