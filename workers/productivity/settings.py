"""What an operator may set under `[suite.productivity]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from daemon import zones

LONGEST_DAYS = 36525
ENVIRONMENT: Mapping[str, tuple[tuple[str, ...], Callable[[str], object]]] = {
    name: (("suite", "productivity", name.lower()), str)
    for name in ("FRONTEND_URL", "ANALYTICS_RETENTION_DAYS", "CLEANUP_INTERVAL_DAYS")
}
"""Names that people have in their environment anyway; `SEXTON_…` beats them."""


def _address_of_pages(url: str) -> str:
    """Raises `ValueError`: links of mails are made of it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in url):
        raise ValueError("write the address of the application's pages, such as https://app.example.org")
    if parts.query or parts.fragment:
        raise ValueError("nothing may follow the path: links are made by adding to it")
    return url.rstrip("/")


def _zone(name: str) -> str:
    if name:
        zones.zone(name)
    return name


def _wall_clock(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError("write HH:MM, without an offset: it is the wall clock of whoever is reminded")
    return at


WallClock = Annotated[time, AfterValidator(_wall_clock)]
Zone = Annotated[str, AfterValidator(_zone)]


class ReminderSettings(BaseModel):
    """`[suite.productivity.reminders]`. Times are of the wall clock of whoever is reminded.

    `timezone`: one zone for everybody, as a cron job has it; empty: everyone's own. `default_timezone`: for people
    whose own does not exist. `…window_hours`: how much later than its time a reminder is still sent, after downtime.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: Zone = ""
    default_timezone: Annotated[Zone, Field(min_length=1)] = "UTC"
    goal_deadlines_at: WallClock = time(9)
    daily_check_at: WallClock = time(18)
    weekly_review_at: WallClock = time(19)
    inactive_users_at: WallClock = time(10)
    monthly_report_at: WallClock = time(9)
    window_hours: int = Field(default=6, ge=1, le=24)
    daily_check_window_hours: int = Field(default=3, ge=1, le=24)
    """Shorter: a check of the day makes no sense on the next."""
    daily_check_days: int = Field(default=7, ge=1, le=LONGEST_DAYS)
    """Who has not been there for so long is not asked daily any more: inactive_users writes to them."""
    break_after_minutes: int = Field(default=25, ge=5, le=240)
    """Of focus without a break, and since the last reminder of one."""
    goals_listed: int = Field(default=20, ge=1, le=100)
    """In one mail; it says how many more there are."""


class Settings(BaseModel):
    """Links first, then how long analytics are kept, then reminders."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frontend_url: Annotated[str, AfterValidator(_address_of_pages)] = "http://localhost:3000"
    """Where the application's pages are. Also FRONTEND_URL in the environment."""
    analytics_retention_days: int = Field(default=365, ge=31, le=LONGEST_DAYS)
    """Figures older than that are deleted. Also ANALYTICS_RETENTION_DAYS in the environment."""
    cleanup_interval_days: int = Field(default=180, ge=31, le=LONGEST_DAYS)
    """Sessions older than that move to the archive. Also CLEANUP_INTERVAL_DAYS in the environment."""
    reminders: ReminderSettings = ReminderSettings()
