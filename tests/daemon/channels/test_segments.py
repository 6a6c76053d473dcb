"""How many segments a text message takes, against the numbers that carriers bill by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.channels.segments import Segments, segments


@pytest.mark.parametrize(
    ("text", "encoding", "count"),
    [
        ("", "GSM-7", 1), ("a" * 160, "GSM-7", 1), ("a" * 161, "GSM-7", 2), ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3), ("€" * 80, "GSM-7", 1), ("€" * 81, "GSM-7", 2), ("é@ñ\n", "GSM-7", 1),
        ("ж" * 70, "UCS-2", 1), ("ж" * 71, "UCS-2", 2), ("ж" * 134, "UCS-2", 2), ("ж" * 135, "UCS-2", 3),
        ("😀" * 35, "UCS-2", 1), ("😀" * 36, "UCS-2", 2), ("a" * 159 + "`", "UCS-2", 3), ("ç", "UCS-2", 1),
    ],
)  # fmt: skip
def test_the_alphabet_decides_how_much_fits(text: str, encoding: str, count: int) -> None:
    assert segments(text) == Segments(encoding, count)  # type: ignore[arg-type]


def test_a_character_of_two_places_moves_to_the_next_segment_whole() -> None:
    assert segments("a" * 152 + "€" + "a" * 152).count == 3  # 152, then € with 151, then 1
    assert segments("ж" * 66 + "😀" + "ж" * 66).count == 3


@given(st.text(max_size=500))
def test_more_text_never_takes_fewer_segments(text: str) -> None:
    assert segments(text[:-1]).count <= segments(text).count or segments(text[:-1]).encoding != segments(text).encoding
