"""Samples of this suite's mails for `sexton preview-mail`: people who are nobody, and what they are up to.

The statements of the reminders make the real data (`write` in each job's .sql); a test compares these with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from daemon import mail_sample
from workers.productivity.settings import Settings

SUNDAY = date(2026, 11, 29)
WEEK = (50, 95, 0, 120, 75, 0, 25)
MONTH = tuple(0 if day % 7 in (0, 6) else 20 + day * 37 % 11 * 12 for day in range(30))
GOALS = (
    (4711, "Finish chapter 3 📚", date(2026, 11, 30), 80),
    (4712, "تعلم العربية: الدرس العاشر", date(2026, 12, 2), 40),
    (4713, None, date(2026, 12, 4), 0),
)  # fmt: skip
OVERDUE = (4690, "Send the invoice", date(2026, 11, 26), 60)


@mail_sample("promotional")
def goal_deadlines(settings: Settings) -> Mapping[str, Any]:
    today = date(2026, 11, 29)
    goals = [{**_goal(goal, f"{goal[2]:%a} {goal[2].day} {goal[2]:%b}"), "days": (goal[2] - today).days}
             for goal in GOALS]  # fmt: skip
    return _to("Zoë", settings) | {"date": today, "tomorrow": 1, "next_week": 2, "goals": goals, "more": 0}


@mail_sample("promotional")
def daily_check(settings: Settings) -> Mapping[str, Any]:
    week = (*WEEK[:-1], 0)
    more = {"date": SUNDAY, "days": _days(week, "%a"), "goals": _goals((OVERDUE, *GOALS)), "more": 2}
    return _to("Noah 🦊", settings) | more


@mail_sample("promotional")
def weekly_review(settings: Settings) -> Mapping[str, Any]:
    completed = [{"id": 4702, "title": "Book the dentist"}, {"id": 4705, "title": "Run 5 km 🏃‍♀️"}]
    return _to("محمد", settings) | {
        "date": SUNDAY, "first": "23 Nov", "last": "29 Nov", "days": _days(WEEK, "%a"), "minutes": sum(WEEK),
        "sessions": 11, "minutes_before": 310, "done": 2, "overdue": 1, "due_next_week": 3, "open": 4, "more": 0,
        "completed": completed, "goals": _goals((OVERDUE, *GOALS)),
    }  # fmt: skip


@mail_sample("promotional")
def monthly_report(settings: Settings) -> Mapping[str, Any]:
    days = _days(MONTH, "%-d %b", until=date(2026, 11, 30))
    best = max(days, key=lambda day: int(day["minutes"]))
    return _to("Priya", settings) | {
        "month": "2026-11", "month_name": "November", "days": days,
        "best": {"label": best["label"], "minutes": best["minutes"]}, "minutes": sum(MONTH),
        "active_days": sum(map(bool, MONTH)), "sessions": 47, "minutes_before": 1310, "done": 6, "due": 7, "on_time": 5,
        "missed": _goals((OVERDUE, GOALS[0]), today=date(2026, 12, 1)), "more": 0,
    }  # fmt: skip


@mail_sample("promotional")
def inactive_users(settings: Settings) -> Mapping[str, Any]:
    return _to("ליאת", settings) | {"date": SUNDAY, "days": 14, "last": False, "goals": _goals(GOALS[:2]), "more": 0}


@mail_sample("promotional")
def break_reminders(settings: Settings) -> Mapping[str, Any]:
    return _to("Zoë", settings) | {"minutes": 90, "title": GOALS[0][1]}


def _to(name: str, settings: Settings) -> dict[str, Any]:
    return {"name": name, "url": settings.frontend_url}


def _goals(goals: Sequence[tuple[int, str | None, date, int]], today: date = SUNDAY) -> list[dict[str, Any]]:
    return [{**_goal(goal, f"{goal[2].day} {goal[2]:%b %Y}"), "overdue": goal[2] < today} for goal in goals]


def _goal(goal: tuple[int, str | None, date, int], due: str) -> dict[str, Any]:
    id_, title, _, progress = goal
    return {"id": id_, "title": title, "due": due, "progress": progress}


def _days(minutes: Sequence[int], label: str, until: date = SUNDAY) -> list[dict[str, Any]]:
    first = until - timedelta(days=len(minutes) - 1)
    return [
        {"day": day, "label": day.strftime(label), "minutes": spent}
        for n, spent in enumerate(minutes)
        for day in (first + timedelta(days=n),)
    ]
