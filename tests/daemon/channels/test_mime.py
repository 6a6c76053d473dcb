"""Mail as octets, read back by a parser that did not write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.channels.channel import InlineImage, Message
from daemon.channels.mime import Letterhead, compose, message_id

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LETTERHEAD = Letterhead("Sexton", "sexton@example.org", "mail.example.org")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
LINK = "https://example.org/u/abc.def"


def a_message(**parts: Any) -> Message:
    given = {"kind": "transactional", "subject": "Good day", "text": "Good day, Ada.", "html": "<p>Good day.</p>"}
    return Message(id=1, dedupe_key="key", address="ada@example.org", **{**given, **parts})


def octets(message: Message, letterhead: Letterhead = LETTERHEAD) -> bytes:
    return compose(message, message.address, letterhead, NOON)


def read(message: Message, letterhead: Letterhead = LETTERHEAD) -> EmailMessage:
    mail = message_from_bytes(octets(message, letterhead), policy=policy.default)
    assert mail.defects == []
    assert all(part.defects == [] for part in mail.walk())
    return mail


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_it_has_the_headers_of_a_machines_mail_to_one_person() -> None:
    mail = read(a_message())
    assert dict(mail.items()) == {
        "From": "Sexton <sexton@example.org>",
        "To": "ada@example.org",
        "Subject": "Good day",
        "Date": "Sun, 22 Nov 2026 12:00:00 +0000",
        "Message-ID": "<2c70e12b7a0646f92279f427c7b38e73@mail.example.org>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": mail["Content-Type"],
    }


def test_text_comes_before_html_so_that_readers_prefer_html() -> None:
    mail = read(a_message())
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_text_alone_needs_no_parts() -> None:
    mail = read(a_message(html=None))
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().strip() == "Good day, Ada."


def test_images_are_related_to_the_html_that_shows_them() -> None:
    html = '<img src="cid:growth"><img src="cid:costs">'
    mail = read(a_message(html=html, images=(InlineImage("growth", PNG), InlineImage("costs", PNG + b"2"))))
    text, related = mail.iter_parts()
    assert (text.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    shown, *images = related.iter_parts()
    assert shown.get_content().strip() == html
    assert [(i["Content-ID"], i.get_content_type(), i.get_content()) for i in images] == [
        ("<growth>", "image/png", PNG), ("<costs>", "image/png", PNG + b"2"),
    ]  # fmt: skip
    assert [i.get_content_disposition() for i in images] == ["inline", "inline"]


def test_images_without_html_are_attached_and_not_lost() -> None:
    mail = read(a_message(html=None, images=(InlineImage("growth", PNG),)))
    assert mail.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "image/png"]


def test_a_message_has_the_same_id_each_time_and_no_other_has_it() -> None:
    assert message_id("key", "a.example") == message_id("key", "a.example")
    assert message_id("key", "a.example") != message_id("kex", "a.example")
    assert re.fullmatch(r"<[0-9a-f]{32}@a\.example>", message_id("key ü\r\n<>", "a.example"))


def test_a_message_is_the_same_octets_each_time() -> None:
    assert octets(a_message()) == octets(a_message())


@pytest.mark.parametrize("kind", ["promotional", "alert"])
def test_what_can_be_refused_says_how_in_one_click(kind: str) -> None:
    mail = read(a_message(kind=kind, unsubscribe_url=LINK))
    assert mail["List-Unsubscribe"] == f"<{LINK}>, <mailto:sexton@example.org?subject=unsubscribe>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_wish_by_mail_goes_where_answers_are_read() -> None:
    letterhead = Letterhead("Sexton", "sexton@example.org", "example.org", "Desk <desk@example.org>")
    mail = read(a_message(kind="alert", unsubscribe_url=LINK), letterhead)
    assert "<mailto:desk@example.org?subject=unsubscribe>" in mail["List-Unsubscribe"]
    assert mail["Reply-To"] == "Desk <desk@example.org>"


@pytest.mark.parametrize("kind", ["transactional", "security"])
def test_what_cannot_be_refused_does_not_say_that_it_can(kind: str) -> None:
    mail = read(a_message(kind=kind, unsubscribe_url=LINK))
    assert mail["List-Unsubscribe"] is None
    assert mail["List-Unsubscribe-Post"] is None


def test_without_a_listener_no_link_is_promised() -> None:
    assert read(a_message(kind="promotional"))["List-Unsubscribe"] is None


def test_one_click_is_not_offered_over_an_open_line() -> None:
    mail = read(a_message(kind="promotional", unsubscribe_url="http://localhost/u/abc"))
    assert "http://localhost/u/abc" in mail["List-Unsubscribe"]
    assert mail["List-Unsubscribe-Post"] is None


@pytest.mark.parametrize(
    "url", ["https://a.example/u/x\r\nBcc: eve@example.org", "https://a.example/ü", "https://a> <b"]
)
def test_a_link_that_could_break_out_of_its_header_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no URL for a header"):
        octets(a_message(kind="promotional", unsubscribe_url=url))


@pytest.mark.parametrize("cid", ["", "a b", "a>\r\nX: y", "ü", "x" * 65])
def test_an_image_whose_name_could_break_out_is_refused(cid: str) -> None:
    with pytest.raises(ValueError, match="name it with up to 64 letters"):
        octets(a_message(images=(InlineImage(cid, PNG),)))


def test_a_subject_with_line_ends_stays_one_line() -> None:
    mail = read(a_message(subject="Hello\r\nBcc: eve@example.org\n\nboo"))
    assert mail["Subject"] == "Hello Bcc: eve@example.org boo"
    assert mail["Bcc"] is None


def test_a_subject_that_looks_encoded_is_shown_as_written() -> None:
    assert read(a_message(subject="=?utf-8?q?trick?="))["Subject"] == "=?utf-8?q?trick?="


def test_plain_text_travels_plainly_and_other_text_the_shorter_way() -> None:
    def encoding(text: str) -> str:
        return str(read(a_message(text=text, html=None))["Content-Transfer-Encoding"])

    assert encoding("Good day.") == "7bit"
    assert encoding("Grüße aus Zürich, mit sehr viel gewöhnlichem Text dazwischen.") == "quoted-printable"
    assert encoding("नमस्ते, आपका भुगतान हो गया है") == "base64"
    assert encoding("x" * 2000) == "quoted-printable"


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=300)


@given(texts, texts)
def test_any_text_arrives_as_it_was(text: str, html: str) -> None:
    mail = read(a_message(text=text, html=html))
    assert body(mail, "plain").rstrip("\n") == text.rstrip("\n")
    assert body(mail, "html").rstrip("\n") == html.rstrip("\n")


@given(st.text(max_size=600), st.text(max_size=300), st.text(max_size=300), st.text(max_size=40))
def test_nothing_that_is_written_adds_a_header_or_a_line_too_long(subject: str, text: str, html: str, key: str) -> None:
    message = Message(1, key, "promotional", "ada@example.org", subject, text, html, unsubscribe_url=LINK)
    lines = octets(message).split(b"\r\n")
    assert all(len(line) <= 998 for line in lines)
    assert all(b"\r" not in line and b"\n" not in line for line in lines)
    mail = message_from_bytes(octets(message), policy=policy.default)
    assert sorted(mail.keys()) == sorted([
        "From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted",
        "MIME-Version", "Content-Type",
    ])  # fmt: skip


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=200)
)
def test_any_subject_arrives_as_it_was(subject: str) -> None:
    assert read(a_message(subject=subject))["Subject"] == subject
