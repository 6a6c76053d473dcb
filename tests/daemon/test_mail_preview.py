"""Mails made of samples: what is wrong with a sample or a picture is told with its place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.alerts import Receiver, notices
from daemon.letters import LetterError, Letters, grouped, line, template_folders
from daemon.mail_preview import message_of, standing_alone
from daemon.mail_sample import MailSample, mail_sample

OURS = Letters(template_folders({}), lambda _suite, _to, _channel: "https://mail.example.org/u/x")
OPENED = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)> שלום 🦊"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bell.subject.txt").write_text("{{ rings | grouped }} rings")
    (tmp_path / "bell.txt").write_text("Ding")
    (tmp_path / "bell.html").write_text(
        '<!doctype html><html><head><title>t</title></head><img src="{{ draw.progress(40) }}"><img src="cid:other">'
    )
    return tmp_path


def made(folder: Path, data: Any) -> Any:
    return message_of(Letters({"bells": folder}), "bells", MailSample("bell", "alert", data), None)


def test_a_sample_is_called_like_its_template_and_has_a_kind_that_messages_have() -> None:
    @mail_sample("security", keyed=["purses"])
    def code(_settings: object) -> Mapping[str, Any]:
        return {}

    assert (code.template, code.kind, code.keyed) == ("code", "security", ("purses",))
    with pytest.raises(ValueError, match=r"kind='alarm': one of .*; did you mean 'alert'"):
        mail_sample("alarm")


def test_a_picture_that_a_mail_does_not_carry_is_named(folder: Path) -> None:
    message = made(folder, lambda _: {"rings": 1234})
    assert message.subject == "1,234 rings"
    with pytest.raises(LetterError, match="shows a picture 'other', and carries progress40"):
        standing_alone(message)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda _: {"rings": 1 / 0}, "ZeroDivisionError"),
        (lambda _: {"rings": object()}, "a object cannot be kept as JSON"),
        (lambda _: {"wrings": 1}, "'rings' is undefined"),
    ],
)
def test_a_sample_that_makes_no_mail_is_told_with_the_file_to_look_at(folder: Path, data: Any, said: str) -> None:
    with pytest.raises(LetterError, match=said) as raised:
        made(folder, data)
    assert str(raised.value).startswith((__file__, str(folder)))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("1234567.50", "1,234,567.50"), ("-1234.00", "-1,234.00"), ("+999.9", "+999.9"), (1000, "1,000"),
        (131.0, "131"), (0.25, "0.25"), ("order 12345", "order 12345"), ("2026-11-22", "2026-11-22"), ("", ""),
        (None, "None"),
    ],
)  # fmt: skip
def test_thousands_are_set_off_and_other_text_stays(number: object, said: str) -> None:
    assert grouped(number) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, ""), (" \t\r\n ", ""), ("two\r\n lines", "two lines"), ("\u202egnp.exe", "gnp.exe"), (42, "42"),
        ("exactly ten", "exactly…"), ("123456789", "123456789"), ("family 👩\u200d👩\u200d👧", "family 👩…"),
    ],
)  # fmt: skip
def test_what_somebody_wrote_is_one_line_of_its_own_direction_and_of_a_length(text: object, said: str) -> None:
    assert line(text, 9) == said


@pytest.mark.parametrize("count", [1, 2, 12, 60])
@pytest.mark.parametrize("template", ["alert", "recovered"])
def test_alerts_of_one_and_of_many_troubles_are_all_in_the_mail_as_text(template: str, count: int) -> None:
    rows = [
        {"kind": "failed", "subject": "tea.brew" if template == "recovered" else f"tea.brew{n}", "key": f"failed:{n}",
         "detail": HOSTILE, "run": n, "opened_at": OPENED, "now": OPENED + timedelta(minutes=n), "count": n}
        for n in range(1, count + 1)
    ]  # fmt: skip
    told = notices(template, rows, [Receiver("email", "ada@example.org")], "node-1")
    for notice in told:
        message = message_of(OURS, "", MailSample(template, "alert", lambda _, data=notice.data: data), None)
        html = standing_alone(message)
        assert "<img" not in html
        assert [a["headline"] for a in notice.data["alerts"] if a["headline"] not in html] == []
        assert ("onerror" in html) == (template == "alert")
        assert (f"nd {notice.data['more']} more" in html) == bool(notice.data["more"])
        assert "https://mail.example.org/u/x" in html
        assert "https://mail.example.org/u/x" in message.text
