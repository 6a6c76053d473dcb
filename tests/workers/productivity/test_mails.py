"""The six reminders as mails: what they say, that nothing in them is markup, and that they need no picture."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser

import pytest

from daemon.channels.mime import Letterhead, compose
from tests.workers.productivity.house import PAGES, UNSUBSCRIBE, House, at
from workers.productivity.break_reminders import break_reminders
from workers.productivity.daily_check import daily_check
from workers.productivity.goal_deadlines import goal_deadlines
from workers.productivity.inactive_users import inactive_users
from workers.productivity.monthly_report import monthly_report
from workers.productivity.weekly_review import weekly_review

HOSTILE = "<script>alert('1')</script> עִבְרִית 🦊 {{ 7*191 }}"


class Words(HTMLParser):
    """What is seen of a mail without pictures, and every element's name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "img":
            self.seen.append(dict(attrs).get("alt") or "")

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self.seen.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.seen).split())


@pytest.fixture
async def everything(house: House) -> House:
    """Somebody who gets each of the six."""
    await house.user(1, name=HOSTILE, last_activity_at=at("2026-11-24T18:00"))
    await house.goal(1, HOSTILE, "2026-11-27", progress=40)
    await house.goal(1, None, "2026-11-28")
    await house.goal(1, "Write", "2026-10-12", status="DONE", completed_at=at("2026-10-12T20:00"))
    for day in (3, 4, 24):
        await house.focus(1, f"2026-11-{day:02}T09:00", f"2026-11-{day:02}T10:35")
    await house.focus(1, "2026-10-31T23:30", "2026-11-01T00:30")
    return house


async def send_each(house: House) -> None:
    await house.succeed(goal_deadlines, at("2026-11-26T09:00"))
    await house.succeed(daily_check, at("2026-11-26T18:00"))
    await house.succeed(weekly_review, at("2026-11-29T19:00"))
    await house.succeed(monthly_report, at("2026-12-01T09:00"))
    await house.succeed(inactive_users, at("2026-12-01T10:00"))
    await house.focus(1, "2026-12-01T10:30")
    await house.succeed(break_reminders, at("2026-12-01T11:00"))


async def test_each_mail_says_the_thing_in_its_subject_its_text_and_its_html(everything: House) -> None:
    house = everything
    await send_each(house)
    letters = await house.letters()
    assert [letter.subject for letter in letters] == [
        "1 goal is due tomorrow, 1 within a week",
        f"No focus time yet today: 25 minutes for {HOSTILE}?",
        "Your week: 1 h 35 min of focus, 0 goals done",
        "Your November: 5 h 15 min of focus on 4 days",
        "2 goals have waited for you for 7 days",
        "30 minutes of focus: time for a break",
    ]
    for letter in letters:
        assert letter.html is not None
        words = Words(letter.html)
        assert "script" not in words.tags
        assert "1337" not in words.text
        assert HOSTILE in words.text
        assert letter.text.startswith(f"Hello {HOSTILE},\n")
        for place in (letter.text, letter.html):
            assert UNSUBSCRIBE in place
            assert f"{PAGES}/settings/notifications" in place
            assert not re.search(r"\{\{ (?!7\*191)|%\}|None|undefined", place)
        assert "style=" in letter.html
        assert "@media" in letter.html
        assert sorted(set(re.findall(r'src="cid:([^"]+)"', letter.html))) == sorted(i.cid for i in letter.images)


async def test_bars_and_charts_say_in_words_what_they_show(everything: House) -> None:
    await everything.succeed(weekly_review, at("2026-11-29T19:00"))
    (letter,) = await everything.letters()
    assert {image.cid for image in letter.images} == {"bars1", "progress40", "progress0"}
    seen = Words(letter.html or "").text
    week = "Mon 0 min, Tue 1 h 35 min, Wed 0 min, Thu 0 min, Fri 0 min, Sat 0 min, Sun 0 min"
    assert week in seen
    assert f"Days      {week}\n" in letter.text
    assert "40 %" in seen.replace("\xa0", " ")


async def test_a_month_is_told_with_its_best_day_and_what_was_due(everything: House) -> None:
    await everything.succeed(monthly_report, at("2026-11-01T09:00"))
    (letter,) = await everything.letters()
    assert letter.subject == "Your October: 30 min of focus on 1 day"
    assert (
        letter.text
        == f"""Hello {HOSTILE},

your October:

Focus     30 min in 1 session on 1 day
Best day  31 Oct, 30 min
Goals     1 done; 1 was due, 1 of them done on time

The whole report: {PAGES}/reports/2026-10

--
Which of these mails you get: {PAGES}/settings/notifications
Unsubscribe: {UNSUBSCRIBE}
"""
    )


async def test_on_the_wire_it_is_text_and_html_with_its_pictures_and_one_click_unsubscribes(everything: House) -> None:
    await everything.succeed(weekly_review, at("2026-11-29T19:00"))
    (letter,) = await everything.letters()
    letterhead = Letterhead("Dashboard", "dashboard@example.org", "example.org")
    octets = compose(letter, letter.address, letterhead, datetime(2026, 11, 29, 19, tzinfo=UTC))
    mail = message_from_bytes(octets, policy=default)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"<{UNSUBSCRIBE}>" in mail["List-Unsubscribe"]
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png", "image/png", "image/png",
    ]  # fmt: skip
    assert {part["Content-ID"] for part in mail.walk() if part.get_content_maintype() == "image"} == {
        "<bars1>", "<progress0>", "<progress40>",
    }  # fmt: skip
    assert len(octets) < 30_000
