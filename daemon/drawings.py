"""Pictures that a template asks for while a message is made of it: `<img src="{{ draw.progress(40) }}">`.

The data keep figures only, so that one statement may leave many messages, each with pictures of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from daemon.channels.channel import InlineImage
from daemon.charts import bars
from daemon.png import Colour, encode

WIDTH, HEIGHT = 320, 16
TRACK, DONE = range(2)
PALETTE: tuple[Colour, ...] = ((128, 126, 122, 80), (58, 124, 194))
"""Upon light and dark alike."""
WHOLE = 100


class Drawings:
    """Those of one message. What is drawn twice is one picture in it."""

    def __init__(self) -> None:
        self._drawn: dict[str, bytes] = {}
        self._charts: dict[tuple[Decimal | int, ...], str] = {}

    @property
    def images(self) -> tuple[InlineImage, ...]:
        return tuple(InlineImage(cid, png) for cid, png in self._drawn.items())

    def progress(self, percent: float) -> str:
        """A bar so much of which is filled, 0 to 100; for `src`. Twice as many pixels as it is shown with."""
        percent = min(max(round(percent), 0), WHOLE)
        return self._keep(f"progress{percent}", lambda: progress_bar(percent))

    def bars(self, values: Sequence[Decimal | int]) -> str:
        """A chart of one bar per value, 560 by 120, for `src`. Raises `ValueError` for more than there is room for."""
        cid = self._charts.setdefault(tuple(values), f"bars{len(self._charts) + 1}")
        return self._keep(cid, lambda: bars(values))

    def _keep(self, cid: str, draw: Callable[[], bytes]) -> str:
        if cid not in self._drawn:
            self._drawn[cid] = draw()
        return f"cid:{cid}"


def progress_bar(percent: int) -> bytes:
    """A PNG; a little has a pixel at least, and what is not all of it lacks one."""
    filled = WIDTH * percent // WHOLE
    if 0 < percent < WHOLE:
        filled = min(max(filled, 1), WIDTH - 1)
    return encode([bytes([DONE]) * filled + bytes([TRACK]) * (WIDTH - filled)] * HEIGHT, PALETTE)
