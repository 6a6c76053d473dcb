"""The pictures in mails: read back with a decoder of the test's own."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daemon.charts import ABOVE, BELOW, HEIGHT, LINE, MOST_BARS, WIDTH, bar_charts, bars, inline, scaled
from daemon.png import encode

RED, BLUE = (255, 0, 0), (0, 0, 255)


def decoded(png: bytes) -> tuple[int, int, list[bytes], list[tuple[int, ...]]]:
    """Width, height, rows of palette indexes, palette; every checksum is checked."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        chunks[kind] = body
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]
    assert len(chunks[b"tRNS"]) == len(chunks[b"PLTE"]) // 3
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour, rest) == (8, 3, [0, 0, 0])
    raw = zlib.decompress(chunks[b"IDAT"])
    assert len(raw) == height * (width + 1)
    lines = [raw[y * (width + 1) : (y + 1) * (width + 1)] for y in range(height)]
    assert all(line[0] == 0 for line in lines)
    palette = [tuple(chunks[b"PLTE"][i : i + 3]) for i in range(0, len(chunks[b"PLTE"]), 3)]
    return width, height, [line[1:] for line in lines], palette


def test_a_picture_comes_back_pixel_by_pixel() -> None:
    assert decoded(encode([b"\0\1\0", b"\1\1\1"], [RED, BLUE])) == (3, 2, [b"\0\1\0", b"\1\1\1"], [RED, BLUE])


def test_a_colour_may_let_through_what_is_behind_it() -> None:
    with Image.open(BytesIO(encode([b"\0\1"], [(*RED, 0), BLUE]))) as image:
        assert [image.convert("RGBA").getpixel((x, 0)) for x in (0, 1)] == [(*RED, 0), (*BLUE, 255)]


@pytest.mark.parametrize("rows", [[], [b""], [b"\0", b"\0\0"], [b"\2"]])
def test_what_is_no_picture_is_refused(rows: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"picture|colour"):
        encode(rows, [RED, BLUE])


def test_bars_stand_on_a_line_and_losses_hang_below_it() -> None:
    _, _, rows, _ = decoded(bars([10, 0, -10]))
    slot = WIDTH // 3
    columns = [bytes(row[slot * i + 5] for row in rows) for i in range(3)]
    line = columns[1].index(LINE)
    assert set(columns[0][1:line]) == {ABOVE}
    assert set(columns[2][line + 1 :]) == {BELOW}
    assert columns[0].count(ABOVE) == columns[2].count(BELOW)
    assert ABOVE not in columns[1]
    assert BELOW not in columns[1]


values = st.lists(st.decimals(min_value=-(10**9), max_value=10**9, places=2), min_size=1, max_size=MOST_BARS)


@given(values)
def test_every_chart_fits_and_higher_values_are_never_lower(series: list[Decimal]) -> None:
    zero, heights = scaled(series)
    for value, height in zip(series, heights, strict=True):
        assert 0 <= zero - height < HEIGHT
        assert (value > 0) - (value < 0) == (height > 0) - (height < 0)
    ordered = [height for _, height in sorted(zip(series, heights, strict=True))]
    assert ordered == sorted(ordered)
    assert decoded(bars(series))[:2] == (WIDTH, HEIGHT)


def test_more_bars_than_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        bars([1] * (MOST_BARS + 1))


def test_an_empty_series_has_no_picture() -> None:
    pictures = inline({"roi": [0, 0], "users": [1, 2], "none": []})
    assert list(pictures) == ["users"]
    assert decoded(b64decode(pictures["users"]))[0] == WIDTH


def test_charts_are_numbered_by_title_and_empty_ones_are_left_out() -> None:
    words, images = bar_charts({"Returns": [0, 0], "Deposits": [Decimal("1000.00"), 0], "People": [3, -1]})
    assert words == [
        {"cid": "chart1", "title": "Deposits", "highest": "1,000.00", "lowest": "0"},
        {"cid": "chart2", "title": "People", "highest": "3", "lowest": "-1"},
    ]
    assert {cid: b64decode(picture) for cid, picture in images.items()} == {
        "chart1": bars([Decimal("1000.00"), 0]), "chart2": bars([3, -1]),
    }  # fmt: skip
