"""Every message of the suite can be made by the engine: subject, text and HTML."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.letters import LetterError
from tests.workers.suite_under_test import letter, letters

FOLDER = Path("workers/jewellery/templates")
NAMES = letters("jewellery").mails("jewellery")


@pytest.mark.parametrize("name", NAMES)
def test_every_message_has_subject_text_and_html(name: str) -> None:
    assert letters("jewellery").missing("jewellery", name, "email") is None
    assert (FOLDER / f"{name}.html").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_a_template_whose_data_is_missing_is_an_error_and_not_a_blank(name: str) -> None:
    with pytest.raises(LetterError):
        letter("jewellery", name, {})


def test_an_alarm_says_what_happened_and_what_to_do() -> None:
    data = {"title": "T", "message": "M <b>", "remedy": "R", "facts": [["Order", "ORA-1"], ["Payment", "p1"]]}
    subject, text, html = letter("jewellery", "payment_alarm", data)
    assert subject == "T"
    assert text == "M <b>\n\nOrder: ORA-1\nPayment: p1\n\nR\n"
    assert html is not None
    assert "M &lt;b&gt;" in html
