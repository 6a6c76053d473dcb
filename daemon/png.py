"""Pictures of few colours as PNG (ISO/IEC 15948). Mail programs show PNG everywhere, and SVG almost nowhere.

Written here because the format's part that a bar chart needs is this page; a picture library is megabytes of C.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE_COLOUR, EIGHT_BITS = 3, 8
OPAQUE_AT = 3
NO_FILTER = b"\0"

Colour = tuple[int, int, int] | tuple[int, int, int, int]
"""Red, green and blue, 0 to 255, and how opaque it is, 255 where nothing is said."""


def encode(rows: Sequence[bytes], palette: Sequence[Colour]) -> bytes:
    """A PNG of equally long rows, top first; each byte is an index into `palette` (up to 256 colours).

    Raises `ValueError` for rows of different lengths, none at all, or an index that has no colour.
    """
    if not rows or not rows[0] or len({len(row) for row in rows}) > 1:
        raise ValueError("a picture needs rows, all as long as the first")
    if max(max(row) for row in rows) >= len(palette):
        raise ValueError(f"a pixel has no colour: there are {len(palette)}")
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), EIGHT_BITS, PALETTE_COLOUR, 0, 0, 0)
    pixels = zlib.compress(b"".join(NO_FILTER + row for row in rows), level=9)
    colours = b"".join(bytes(colour[:OPAQUE_AT]) for colour in palette)
    opacities = bytes(colour[OPAQUE_AT] if len(colour) > OPAQUE_AT else 255 for colour in palette)
    chunks = ((b"IHDR", header), (b"PLTE", colours), (b"tRNS", opacities), (b"IDAT", pixels), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
