"""Texts cut to fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.channels.shorten import shorten


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("hello", 5, "hello"), ("hello!", 5, "hell…"), ("", 5, ""), ("a b c d", 4, "a b…"), ("😀😀", 4, "😀😀"),
        ("😀😀😀", 4, "😀…"), ("abc😀", 5, "abc😀"), ("abcd😀", 5, "abcd…"),
    ],
)  # fmt: skip
def test_what_fits_stays_and_what_does_not_ends_in_an_ellipsis(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


@given(st.text(), st.integers(1, 50))
def test_the_result_fits_and_begins_as_the_text_does(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short.encode("utf-16-le", "surrogatepass")) // 2 <= limit
    assert short == text or text.startswith(short.removesuffix("…"))


@given(st.text(), st.integers(10, 50))
def test_any_measure_of_width_is_kept_to(text: str, limit: int) -> None:
    def width(character: str) -> int:
        return 5 if character == "&" else 1

    assert sum(map(width, shorten(text, limit, width=width))) <= limit
