"""How old data may become, and the exact instants from which it is too old. Pure; the ages are settings."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

LONGEST_MONTHS = 1200
LONGEST_DAYS = 36525


class CleanupSettings(BaseModel):
    """`[suite.investment.cleanup]`. Ages are positive: nothing is ever cleaned up on the day it comes to be.

    `require_backup_within_hours`: nothing is cleaned up without a verified backup younger than that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    process_log_days: int = Field(default=30, gt=0, le=LONGEST_DAYS)
    health_check_days: int = Field(default=90, gt=31, le=LONGEST_DAYS)
    """Over a month: monthly_analytics sums them up."""
    session_hours: int = Field(default=24, gt=0, le=24 * LONGEST_DAYS)
    notification_days: int = Field(default=90, gt=0, le=LONGEST_DAYS)
    completed_investment_months: int = Field(default=12, gt=0, le=LONGEST_MONTHS)
    system_setting_months: int = Field(default=6, gt=0, le=LONGEST_MONTHS)
    require_backup_within_hours: int | None = Field(default=None, gt=0)
    batch: int = Field(default=10_000, gt=0, le=100_000)


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """What is strictly older goes; what is exactly as old stays."""

    process_logs: datetime
    health_checks: datetime
    sessions: datetime
    notifications: datetime
    completed_investments: date
    system_settings: datetime


def cutoffs(at: datetime, ages: CleanupSettings) -> Cutoffs:
    """`at` is the instant of the cleanup in the suite's zone. Hours and days are elapsed time, a day 24 hours;
    months are the zone's calendar."""
    instant = at.astimezone(UTC)
    return Cutoffs(
        process_logs=instant - timedelta(days=ages.process_log_days),
        health_checks=instant - timedelta(days=ages.health_check_days),
        sessions=instant - timedelta(hours=ages.session_hours),
        notifications=instant - timedelta(days=ages.notification_days),
        completed_investments=months_before(at.date(), ages.completed_investment_months),
        system_settings=local_months_before(at, ages.system_setting_months),
    )


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last: 31 October less 8 months is 28 or 29 February."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def local_months_before(at: datetime, months: int) -> datetime:
    """The same wall-clock time that many months before, in the zone of `at`.

    A time that a clock change skipped is read as PostgreSQL reads it: with the offset from before the change.
    """
    assert isinstance(at.tzinfo, ZoneInfo)
    return datetime.combine(months_before(at.date(), months), at.time(), at.tzinfo).replace(fold=0)
