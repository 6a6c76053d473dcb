"""Messages from templates: which files, what they see, and what is said when they do not work."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.channels.channel import InlineImage, Message
from daemon.letters import LetterError, Letters, template_folders
from daemon.outbox import OutboxRow, Recipient

PNG = b"\x89PNG\r\n\x1a\nfurther octets"
ADA = Recipient(id="42", email="ada@example.org", phone="+41791234567")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A suite's templates: `greeting` for every channel."""
    write(tmp_path, "greeting.subject.txt", "Good day, {{ name }}\n")
    write(tmp_path, "greeting.txt", "Good day, {{ name }}.\n")
    write(tmp_path, "greeting.html", "<p>Good day, {{ name }}.</p>")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def row(data: Mapping[str, Any], **columns: Any) -> OutboxRow:
    given = {"template": "greeting", "channel": "email", "kind": "transactional", "recipient": "42", "address": None}
    return OutboxRow(id=7, token=1, suite="tea", data=data, dedupe_key="key", **{**given, **columns})


def rendered(folder: Path, data: Mapping[str, Any], **columns: Any) -> Message:
    return Letters({"tea": folder}).rendered(row(data, **columns), ADA)


def test_a_mail_is_subject_text_and_html(folder: Path) -> None:
    assert rendered(folder, {"name": "Ada"}) == Message(
        7, "key", "transactional", "ada@example.org", "Good day, Ada", "Good day, Ada.", "<p>Good day, Ada.</p>"
    )


def test_html_is_escaped_and_text_is_not(folder: Path) -> None:
    message = rendered(folder, {"name": "<b>Ada</b> & Co"})
    assert message.text == "Good day, <b>Ada</b> & Co."
    assert message.html == "<p>Good day, &lt;b&gt;Ada&lt;/b&gt; &amp; Co.</p>"


def test_html_is_optional(folder: Path) -> None:
    (folder / "greeting.html").unlink()
    assert rendered(folder, {"name": "Ada"}).html is None


def test_a_subject_is_one_line_whatever_is_in_the_data(folder: Path) -> None:
    assert rendered(folder, {"name": "Ada\r\nBcc: eve@example.org"}).subject == "Good day, Ada Bcc: eve@example.org"


def test_a_text_message_has_a_short_form_where_there_is_one(folder: Path) -> None:
    message = rendered(folder, {"name": "Ada"}, channel="sms")
    assert (message.address, message.subject, message.text, message.html) == (
        "+41791234567",
        "",
        "Good day, Ada.",
        None,
    )
    write(folder, "greeting.sms.txt", "Hi {{ name }}")
    assert rendered(folder, {"name": "Ada"}, channel="sms").text == "Hi Ada"


def test_chat_needs_no_subject_and_uses_one(folder: Path) -> None:
    assert rendered(folder, {"name": "Ada"}, channel="slack", recipient=None, address="").subject == "Good day, Ada"
    (folder / "greeting.subject.txt").unlink()
    message = rendered(folder, {"name": "Ada"}, channel="slack", recipient=None, address="")
    assert (message.subject, message.text) == ("", "Good day, Ada.")


def test_an_address_that_was_given_is_used(folder: Path) -> None:
    letters = Letters({"tea": folder})
    message = letters.rendered(row({"name": "Eve"}, recipient=None, address="eve@example.org"), None)
    assert message.address == "eve@example.org"


@pytest.mark.parametrize(
    ("template", "channel", "wanted"),
    [
        ("greeting", "email", None), ("greeting", "sms", None), ("farewell", "email", "farewell.subject.txt"),
        ("farewell", "sms", "farewell.txt"), ("short", "sms", None), ("short", "slack", None),
        ("short", "email", "short.subject.txt"), ("half", "email", "half.txt"),
        ("../greeting", "sms", "../greeting.txt"), ("Greeting", "sms", "Greeting.txt"), ("", "sms", ".txt"),
    ],
)  # fmt: skip
def test_the_file_that_is_missing_is_named(folder: Path, template: str, channel: str, wanted: str | None) -> None:
    write(folder, "short.sms.txt", "x")
    write(folder, "half.subject.txt", "x")
    missing = Letters({"tea": folder}).missing("tea", template, channel)
    assert missing == (None if wanted is None else folder / wanted)


def test_a_suite_that_is_not_there_has_no_templates(folder: Path) -> None:
    assert Letters({"tea": folder}).missing("coffee", "greeting", "sms") == Path("coffee/templates/greeting.txt")
    with pytest.raises(LetterError, match=r"there is no coffee/templates/greeting\.subject\.txt"):
        Letters({"tea": folder}).rendered(replace(row({}), suite="coffee"), ADA)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("\n{{ nmae }}", r"greeting\.txt:2: UndefinedError: 'nmae' is undefined"),
        ("{% if %}", r"greeting\.txt:1: TemplateSyntaxError"),
        ("\n\n{{ 1 / 0 }}", r"greeting\.txt:3: ZeroDivisionError"),
        ("{{ ''.__class__.__mro__ }}", r"greeting\.txt:1: SecurityError"),
        ("{{ '{0.__class__}'.format(name) }}", r"greeting\.txt:1: SecurityError"),
        ("{% for i in range(10000000) %}x{% endfor %}", r"greeting\.txt:1: OverflowError"),
        ("{% include 'other.txt' %}", r"greeting\.txt: there is no template 'other\.txt'"),
        ("{% include '../secret.txt' %}", r"there is no template '\.\./secret\.txt'"),
        ("{{ 'x' * 3000000 }}", r"greeting\.txt: 3000000 characters, more than 2000000"),
    ],
)  # fmt: skip
def test_a_template_that_does_not_work_is_named_with_its_line(folder: Path, template: str, why: str) -> None:
    write(folder.parent, "secret.txt", "not for mail")
    write(folder, "greeting.txt", template)
    with pytest.raises(LetterError, match=why):
        rendered(folder, {"name": "Ada"})


def test_a_template_cannot_change_what_the_next_one_sees(folder: Path) -> None:
    data = {"name": "Ada", "list": [1]}
    write(folder, "greeting.subject.txt", "{{ list.append(2) }}")
    with pytest.raises(LetterError, match="SecurityError"):
        rendered(folder, data)
    assert data["list"] == [1]


def test_an_empty_subject_is_an_error(folder: Path) -> None:
    write(folder, "greeting.subject.txt", " {{ name }} ")
    with pytest.raises(LetterError, match=r"greeting\.subject\.txt: it comes out empty"):
        rendered(folder, {"name": " \n"})


def test_pictures_are_inline_images_that_the_html_names(folder: Path) -> None:
    write(folder, "greeting.html", '<img src="{{ images.growth }}">')
    message = rendered(folder, {"name": "Ada", "images": {"growth": base64.b64encode(PNG).decode()}})
    assert message.images == (InlineImage("growth", PNG),)
    assert message.html == '<img src="cid:growth">'


@pytest.mark.parametrize(
    ("images", "why"),
    [
        (["x"], "write {name: PNG in base64}"), ({"a b": ""}, "'a b': up to 64 letters"),
        ({"growth": "%%%"}, r"\['growth'\]: no PNG in base64"), ({"growth": 7}, "no PNG in base64"),
        ({"growth": base64.b64encode(b"GIF89a").decode()}, "no PNG in base64"),
    ],
)  # fmt: skip
def test_a_picture_that_is_none_is_an_error(folder: Path, images: object, why: str) -> None:
    with pytest.raises(LetterError, match=why):
        rendered(folder, {"name": "Ada", "images": images})


@pytest.mark.parametrize(
    ("kind", "link"),
    [("promotional", "tea/42/email"), ("alert", "tea/42/email"), ("transactional", None), ("security", None)],
)
def test_a_link_to_unsubscribe_comes_with_what_can_be_refused(folder: Path, kind: str, link: str | None) -> None:
    write(folder, "greeting.txt", "{% if unsubscribe_url %}{{ unsubscribe_url }}{% else %}none{% endif %}")
    letters = Letters({"tea": folder}, lambda *parts: "/".join(parts))
    message = letters.rendered(row({"name": "Ada"}, kind=kind), ADA)
    assert (message.unsubscribe_url, message.text) == (link, link or "none")


def test_who_was_given_as_an_address_can_unsubscribe_as_that(folder: Path) -> None:
    letters = Letters({"tea": folder}, lambda *parts: "/".join(parts))
    message = letters.rendered(row({"name": "x"}, kind="alert", recipient=None, address="a@example.org"), None)
    assert message.unsubscribe_url == "tea/a@example.org/email"


def test_without_a_listener_there_is_no_link(folder: Path) -> None:
    assert rendered(folder, {"name": "Ada"}, kind="promotional").unsubscribe_url is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(name=st.text())
def test_no_data_becomes_markup_or_a_second_line_of_subject(folder: Path, name: str) -> None:
    message = rendered(folder, {"name": name})
    assert message.html is not None
    assert message.html.count("<") == 2
    assert message.subject.splitlines() == [message.subject]


def test_templates_are_in_a_folder_beside_the_suites_jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "teahouse").mkdir()
    (tmp_path / "teahouse/__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    folders = template_folders({"teahouse": "teahouse", "gone": "no_such_package"})
    assert folders["teahouse"] == tmp_path / "teahouse/templates"
    assert folders[""].parts[-2:] == ("daemon", "templates")
    assert "gone" not in folders


def test_what_a_template_draws_is_in_the_mail_once(folder: Path) -> None:
    (folder / "greeting.html").write_text(
        '<img src="{{ draw.progress(40) }}"><img src="{{ draw.progress(40.4) }}"><img src="{{ draw.bars([1, 2]) }}">'
        '<img src="{{ draw.bars([3]) }}"><img src="{{ draw.bars([1, 2]) }}">'
    )
    made = rendered(folder, {"name": "Ada"})
    assert [image.cid for image in made.images] == ["progress40", "bars1", "bars2"]
    assert all(image.png.startswith(b"\x89PNG") for image in made.images)
    assert (made.html or "").count("cid:") == 5


def test_rules_of_style_go_into_elements_and_those_of_media_stay(folder: Path) -> None:
    (folder / "greeting.html").write_text(
        "<html><head><style>p { color: red } @media print { p { color: black } }</style></head>"
        "<body><p>{{ name }}</p></body></html>"
    )
    html = rendered(folder, {"name": "<style>p { color: blue }</style>"}).html or ""
    assert '<p style="color: red;">&lt;style&gt;' in html
    assert "@media print" in html
    assert "blue }</style>" not in html


def test_all_suites_share_one_look_and_none_reads_anothers_templates(folder: Path, tmp_path: Path) -> None:
    (folder / "greeting.html").write_text(
        '{% extends "sexton/mail.html" %}{% block heading %}Hello {{ name }}{% endblock %}'
        '{% block content %}{% include "private.txt" ignore missing %}{% endblock %}'
    )
    other = tmp_path / "other"
    other.mkdir()
    (other / "private.txt").write_text("secret")
    made = Letters({"tea": folder, "other": other}, lambda *_: "https://example.org/u/1").rendered(
        row({"name": "<Ada>"}, kind="promotional"), ADA
    )
    assert "<title>Hello &lt;Ada&gt;</title>" in (made.html or "")
    assert 'href="https://example.org/u/1"' in (made.html or "")
    assert "secret" not in (made.html or "")
