"""Every message of the suite can be made by the engine: subject, text and HTML, of the data that its job gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from daemon.letters import LetterError
from tests.workers.suite_under_test import letter, letters

FOLDER = Path("workers/investment/templates")
NAMES = letters("investment").mails("investment")
PURSES = {"INR": {"roi": "10.00", "commission": "1.50"}, "USD": {"roi": "0", "commission": "2.25"}}


def made(template: str, channel: str = "email", **data: Any) -> tuple[str, str, str | None]:
    return letter("investment", template, data, channel)


@pytest.mark.parametrize("name", NAMES)
def test_every_message_has_subject_text_and_html(name: str) -> None:
    assert letters("investment").missing("investment", name, "email") is None
    assert (FOLDER / f"{name}.html").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_a_template_whose_data_is_missing_is_an_error_and_not_a_blank(name: str) -> None:
    with pytest.raises(LetterError):
        made(name)


def test_the_digest_names_every_purse_and_only_what_was_credited() -> None:
    subject, text, html = made("roi_digest", date="2026-03-10", purses=PURSES)
    assert subject == "Your return for 2026-03-10"
    assert text == (
        "For 2026-03-10 your account was credited with:\n\n  INR 10.00  return of your investments\n"
        "  INR 1.50  commissions\n  USD 2.25  commissions\n\nEvery entry is in the statement of your account."
    )
    assert html is not None
    assert re.findall(r"(?:INR|USD) [0-9.]+", html.partition("<h1")[2]) == ["INR 10.00", "INR 1.50", "USD 2.25"]


def test_the_digest_of_commissions_alone_speaks_of_no_investments() -> None:
    _, text, html = made("roi_digest", date="2026-03-10", purses={"USD": PURSES["USD"]})
    assert "investments" not in text + (html or "")


def test_a_text_message_is_one_line_of_title_and_body() -> None:
    assert made("notification", "sms", title="Code", body="123456") == ("", "Code: 123456", None)


def test_what_can_be_refused_says_how() -> None:
    url = "https://mail.example.org/u/abc"
    _, text, html = made("notification", title="t", body="b", unsubscribe_url=url)
    assert text == f"b\n\n--\nUnsubscribe: {url}\n"
    assert html is not None
    assert f'<a href="{url}"' in html
    assert "Unsubscribe" not in made("notification", title="t", body="b")[1]
