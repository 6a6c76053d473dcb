"""The six reminders as mails: what they say, that nothing in them is markup, and that they need no picture."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from typing import Any

import pytest

from daemon.channels.mime import Letterhead, compose
from daemon.drawings import Drawings
from daemon.outbox import OutboxRow, Recipient
from tests.workers.productivity.house import LETTERS, PAGES, UNSUBSCRIBE, House, at
from workers.productivity import mail_samples
from workers.productivity.break_reminders import break_reminders
from workers.productivity.daily_check import daily_check
from workers.productivity.goal_deadlines import goal_deadlines
from workers.productivity.inactive_users import inactive_users
from workers.productivity.monthly_report import monthly_report
from workers.productivity.settings import Settings
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
        f"{HOSTILE} is due tomorrow, 1 more within a week",
        f"No focus time yet today: 25 minutes for {HOSTILE}?",
        "Your week: 1 h 35 min of focus, 2 goals are open",
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
    assert "Mon – Tue 1 h 35 Wed – Thu – Fri – Sat – Sun –" in seen
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


async def test_a_week_without_focus_is_told_kindly_and_says_what_is_next_what_is_late_and_which_days_it_was(
    everything: House,
) -> None:
    await everything.goal(1, "Pay the rent", "2026-11-30")
    await everything.succeed(weekly_review, at("2026-12-06T19:00"))
    (letter,) = await everything.letters()
    assert letter.subject == "Your week: no focus time, 3 goals are open"
    seen = Words(letter.html or "").text
    for words in (
        "from 30 Nov to 6 Dec", "No focus time , after 1 h 35 min in the seven days before", "was due 30 Nov 2026",
    ):  # fmt: skip
        assert words.replace(" ,", ",") in seen
    assert "Focus     none (after 1 h 35 min in the seven days before)\n" in letter.text
    assert "- Pay the rent, was due 30 Nov 2026; 0 % done\n" in letter.text
    assert not [image for image in letter.images if image.cid.startswith("bars")]


def made(template: str, **data: Any) -> tuple[str, str, str]:
    """Subject, text, and what is seen of the HTML, of data that a sample has but for these."""
    sample = dict(getattr(mail_samples, template).data(Settings(frontend_url=PAGES)))
    row = OutboxRow(
        id=1, token=1, suite="productivity", recipient="1", address=None, channel="email", template=template,
        data=json.loads(json.dumps(sample | data, default=str)), kind="promotional", dedupe_key="x",
    )  # fmt: skip
    letter = LETTERS.rendered(row, Recipient(id="1", email="ada@example.org"))
    return letter.subject, letter.text, Words(letter.html or "").text


LONG = {"id": 1, "title": "W" * 100_000, "due": "Mon 30 Nov", "days": 1, "progress": 0, "overdue": False}


@pytest.mark.parametrize(
    "template",
    ["goal_deadlines", "daily_check", "weekly_review", "monthly_report", "inactive_users", "break_reminders"],
)
def test_titles_and_names_of_any_length_and_kind_leave_a_mail_that_can_be_read(template: str) -> None:
    goals = [LONG | {"title": title} for title in (LONG["title"], " \n\t ", "\u202eturned", None)] * 5
    more = {"goals": goals, "missed": goals, "completed": goals, "title": LONG["title"]}
    sample = getattr(mail_samples, template).data(Settings())
    subject, text, seen = made(template, name=" \r\n ", **{name: more[name] for name in more if name in sample})
    assert (len(subject) < 110, len(text) < 12_000, len(seen) < 12_000) == (True, True, True)
    assert text.startswith("Hello,\n")
    assert "\u202e" not in subject + text + seen
    named = made(template, name="Ada\r\nBcc: eve@example.org " + "x" * 1000)[1]
    assert named.startswith("Hello Ada Bcc: eve@example.org xxx")
    assert len(named.splitlines()[0]) < 100


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"minutes": 365, "minutes_before": 365}, "±0 % against"),
        ({"minutes": 365, "minutes_before": 364}, "±0 % against"),
        ({"minutes": 100, "minutes_before": 365}, "−73 % against"),
        ({"minutes": 365, "minutes_before": 1}, "after 1 min in"),
        ({"minutes": 0, "minutes_before": 365}, "after 6 h 5 min in"),
    ],
)
def test_weeks_are_compared_in_words_that_mean_something(data: dict[str, int], said: str) -> None:
    _, text, seen = made("weekly_review", **data)
    assert f"{said} the seven days before" in text
    assert f"{said} the seven days before" in seen


def test_of_more_goals_done_than_are_listed_the_others_are_counted() -> None:
    _, text, seen = made("weekly_review", done=1234)
    assert "and 1,232 more\n" in text
    assert "and 1,232 more done" in seen


def test_a_nudge_lists_three_goals_and_counts_the_others() -> None:
    _, text, seen = made("inactive_users", goals=[LONG | {"title": f"goal {n}"} for n in range(20)], more=30)
    assert [f"goal {n}" in text and f"goal {n}" in seen for n in range(4)] == [True, True, True, False]
    assert "and 47 more" in text
    assert "and 47 more" in seen


def test_the_last_nudge_promises_no_goals_that_are_not_there() -> None:
    assert made("inactive_users", last=True, goals=[])[0] == "Your place is kept for when you come back"


@pytest.mark.parametrize(
    ("data", "subject"),
    [
        ({"done": 6}, "6 goals done"),
        ({"done": 0}, "2 goals are still open"),
        ({"done": 0, "missed": []}, "what it came to"),
    ],
)
def test_a_month_without_focus_says_what_there_was_instead(data: dict[str, Any], subject: str) -> None:
    assert made("monthly_report", minutes=0, active_days=0, **data)[0] == f"Your November: {subject}"


def test_mails_that_the_release_before_left_are_still_made() -> None:
    """It left neither which days it was nor what is overdue."""
    old = dict(mail_samples.weekly_review.data(Settings()))
    goals = [{name: value for name, value in goal.items() if name != "overdue"} for goal in old["goals"]]
    letter = LETTERS._texts("productivity", "weekly_review", "email", {
        **{name: value for name, value in old.items() if name not in ("first", "last")}, "goals": goals,
        "unsubscribe_url": None, "draw": Drawings(),
    })  # fmt: skip
    assert "your seven days to Sunday" in letter[1]
