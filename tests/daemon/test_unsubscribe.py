"""Signed links: they say what they said, and nobody else can say it."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.unsubscribe import Subscription, read, token, url

SECRET = "correct horse battery staple"
ADA = Subscription("tea", "42", "email")
texts = st.text(st.characters(codec="utf-8"), max_size=100)


@given(texts, texts, texts)
def test_a_token_says_what_was_signed_in_letters_that_a_url_can_hold(suite: str, recipient: str, channel: str) -> None:
    signed = token(SECRET, Subscription(suite, recipient, channel))
    assert set(signed) <= set(string.ascii_letters + string.digits + "-_.")
    assert read(SECRET, signed) == Subscription(suite, recipient, channel)


def test_the_link_of_today_is_the_link_of_next_year() -> None:
    assert url("https://example.org/mail/", SECRET, ADA) == (
        "https://example.org/mail/u/WyJ0ZWEiLCI0MiIsImVtYWlsIl0.TZtA21Djn_qh0draKg7iJLzKg5cDQan73OErvrIGBgE"
    )


def test_another_secret_reads_nothing() -> None:
    assert read("another secret altogether", token(SECRET, ADA)) is None


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_token_with_any_character_changed_says_nothing(place: int, character: str) -> None:
    signed = token(SECRET, ADA)
    place %= len(signed)
    changed = signed[:place] + character + signed[place + 1 :]
    assert read(SECRET, changed) == (ADA if changed == signed else None)


def test_parts_of_two_tokens_do_not_make_a_third() -> None:
    eve = token(SECRET, Subscription("tea", "43", "email"))
    ours, theirs = token(SECRET, ADA).split("."), eve.split(".")
    assert read(SECRET, f"{ours[0]}.{theirs[1]}") is None


@given(st.text() | st.text(alphabet=string.ascii_letters + string.digits + "-_.", max_size=3000))
def test_nothing_that_was_not_signed_says_anything(text: str) -> None:
    assert read(SECRET, text) is None


def test_parts_cannot_run_into_each_other() -> None:
    assert token(SECRET, Subscription("ab", "c", "email")) != token(SECRET, Subscription("a", "bc", "email"))


def test_without_a_secret_nothing_is_signed() -> None:
    with pytest.raises(ValueError, match=r"outbox\.unsubscribe_secret is empty"):
        token("", ADA)
