"""Pictures drawn while a message is made."""

from __future__ import annotations

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daemon.drawings import DONE, HEIGHT, WIDTH, Drawings, progress_bar


@given(st.integers(0, 100))
def test_a_progress_bar_is_filled_by_its_percentage(percent: int) -> None:
    with Image.open(BytesIO(progress_bar(percent))) as image:
        assert image.size == (WIDTH, HEIGHT)
        filled = sum(image.getpixel((x, 0)) == DONE for x in range(WIDTH))
    assert abs(filled - WIDTH * percent / 100) <= 1
    assert (filled == 0) == (percent == 0)
    assert (filled == WIDTH) == (percent == 100)


def test_percentages_beyond_the_scale_are_its_ends() -> None:
    drawings = Drawings()
    assert [drawings.progress(value) for value in (-3, 0.2, 140)] == [
        "cid:progress0",
        "cid:progress0",
        "cid:progress100",
    ]
