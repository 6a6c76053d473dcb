"""Addresses that are safe to put on a wire: mail addresses and telephone numbers. Pure."""

from __future__ import annotations

import re
from email.utils import getaddresses

import idna

# An unquoted local part, also of RFC 6531: no space, no control character, none of the specials of RFC 5322.
LOCAL_PART = re.compile(r'[^\s\x00-\x20\x7f-\xa0"(),:;<>@\[\\\].]+(\.[^\s\x00-\x20\x7f-\xa0"(),:;<>@\[\\\].]+)*')
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE | re.ASCII)
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
LONGEST_LOCAL_PART, LONGEST_ADDRESS = 64, 254


def one_line(text: str) -> str:
    """The text without control characters, line ends among them: a space stands for each run of them."""
    return CONTROLS.sub(" ", text).strip()


def mail_address(text: str) -> str:
    """`ada@example.org` as it is, `ada@bücher.example` with its domain in IDNA 2008, as registries have it.

    Raises `ValueError` for anything else: names, comments, lists, quoted local parts, address literals, line ends.
    """
    local, at, domain = text.rpartition("@")
    fits = len(local.encode("utf-8", "replace")) <= LONGEST_LOCAL_PART and LOCAL_PART.fullmatch(local)
    if not at or not fits or not _is_text(local):
        raise _no_address(text)
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:  # idna's own errors are such
        raise _no_address(text) from None
    if len(local) + 1 + len(ascii_domain) > LONGEST_ADDRESS:
        raise _no_address(text)
    if not all(LABEL.fullmatch(label) for label in ascii_domain.split(".")):
        raise _no_address(text)
    return f"{local}@{ascii_domain}"


def mailbox(text: str) -> tuple[str, str]:
    """`Ada <ada@example.org>` or a bare address → name and address. Raises `ValueError`."""
    found = getaddresses([text])
    if CONTROLS.search(text) or len(found) != 1 or (found[0][0] and not text.rstrip().endswith(">")):
        raise _no_address(text)
    name, address = found[0]
    return name, mail_address(address)


def telephone_number(text: str) -> str:
    """A number as E.164 has it: plus, country code, digits, nothing else. Raises `ValueError`."""
    if not E164.fullmatch(text):
        raise ValueError(f"{_shown(text)} is no telephone number of E.164: write it like +41791234567")
    return text


def _no_address(text: str) -> ValueError:
    return ValueError(f"{_shown(text)} is no e-mail address: write one, such as ada@example.org")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _is_text(text: str) -> bool:
    """False for half a surrogate pair, which no encoding has a place for."""
    return not any("\ud800" <= c <= "\udfff" for c in text)
