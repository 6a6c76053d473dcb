"""Every mail as plain text, and what its text and its HTML have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from daemon import suite_mail_samples
from daemon.letters import Letters, template_folders
from tests.conftest import SUITES
from tests.mails.mails import PAGES, UNSUBSCRIBE, Mail, every_mail

LONGEST_LINE, LONGEST_SUBJECT, SHORTEST = 150, 90, 10
LARGEST_HTML = 40_000
NOT_TEXT = re.compile(r"<[a-z/!]|&[a-z]+;|&#|cid:|data:|\{\{|\{%|None|undefined|\n{4}")
SENT_ON_REQUEST = ("transactional", "security")


def wrong(rule: Callable[[Mail], Iterable[object]]) -> dict[str, list[object]]:
    """Mails by name, and what the rule finds wrong with them."""
    found = {mail.name: list(rule(mail)) for mail in every_mail()}
    return {name: problems for name, problems in found.items() if problems}


def test_every_template_has_a_sample_and_every_sample_a_template() -> None:
    problems: list[str] = []
    samples = suite_mail_samples.read(SUITES, problems)
    letters = Letters(template_folders(SUITES))
    assert problems == []
    assert {suite: set(found) for suite, found in samples.items()} == {
        suite: set(letters.mails(suite)) for suite in letters.folders
    }
    assert {mail.name.partition(".")[0] for mail in every_mail()} == {"sexton", *SUITES} - {"flights"}


def test_the_text_is_text_in_lines_that_can_be_read() -> None:
    def rule(mail: Mail) -> Iterable[object]:
        yield from NOT_TEXT.findall(mail.message.text)
        for line in mail.message.text.splitlines():
            if len(line) > LONGEST_LINE and "sexton run-job " not in line:  # a command is copied whole
                yield line

    assert wrong(rule) == {}
    assert wrong(lambda mail: [] if mail.message.text.strip() else ["no text"]) == {}


def test_its_subject_and_preview_each_say_something_of_their_own() -> None:
    def rule(mail: Mail) -> Iterable[object]:
        subject, preview = mail.message.subject, mail.html.preview
        if not SHORTEST <= len(subject) <= LONGEST_SUBJECT or len(preview) < SHORTEST:
            yield subject, preview
        if "None" in subject + preview or subject == preview:
            yield subject, preview

    assert wrong(rule) == {}


def test_whatever_the_html_links_to_the_text_links_to() -> None:
    assert wrong(
        lambda mail: [link for link in mail.html.links if link not in re.findall(r"https?://\S+", mail.message.text)]
    ) == {}  # fmt: skip


def test_links_lead_to_the_configured_pages_alone() -> None:
    def rule(mail: Mail) -> Iterable[object]:
        yield from (link for link in mail.html.links if not link.startswith((f"{PAGES}/", UNSUBSCRIBE)))
        if (PAGES in mail.message.text) != mail.name.startswith("productivity."):
            yield PAGES

    assert wrong(rule) == {}


def test_who_can_refuse_it_and_nobody_else_finds_how_in_text_html_and_header() -> None:
    def rule(mail: Mail) -> Iterable[object]:
        can = mail.message.kind not in SENT_ON_REQUEST
        places = {
            "text": UNSUBSCRIBE in mail.message.text,
            "html": any(link.startswith(UNSUBSCRIBE) for link in mail.html.links),
            "header": mail.message.unsubscribe_url is not None,
        }
        yield from (place for place, there in places.items() if there != can)

    assert wrong(rule) == {}


def test_what_a_picture_shows_is_told_in_words_and_in_the_text() -> None:
    def rule(mail: Mail) -> Iterable[object]:
        for alt in mail.html.alts:
            if alt is None:
                yield "a picture without words"
            figures = (figure.rstrip(",.") for figure in re.findall(r"\d[\d,.]*", alt or ""))
            yield from (figure for figure in figures if figure not in mail.message.text)

    assert wrong(rule) == {}


def test_it_has_the_one_look() -> None:
    def rule(mail: Mail) -> Iterable[object]:
        html = mail.message.html or ""
        if not html.count('class="card"') == html.count("<h1") == 1:
            yield "does not extend sexton/mail.html"
        if "@media (prefers-color-scheme: dark)" not in html or len(html) > LARGEST_HTML:
            yield len(html)

    assert wrong(rule) == {}
