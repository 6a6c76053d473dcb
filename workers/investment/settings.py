"""What an operator may set under `[suite.investment]`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from workers.investment.ages import CleanupSettings
from workers.investment.audience import EmailAddress, NotificationSettings
from workers.investment.thresholds import HealthSettings

Factor = Annotated[Decimal, Field(gt=1, le=1000)]


class Settings(BaseModel):
    """Payouts first; then what health, clean-up and reports need."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Payouts: daily_roi_distribution, payout_reversal.
    control_total_factor: Factor = Decimal(2)
    """A day whose total exceeds so many times the median of the last `control_total_days` waits for a person."""
    control_total_days: int = Field(default=14, ge=1, le=366)
    pay_suspended: bool = False
    """Whether suspended investors earn for the days of their suspension. Never paid afterwards, either way."""
    range_size: int = Field(default=500_000, ge=1, le=10_000_000)
    """Investments paid in one transaction: larger ones are faster, and a crash repeats more."""
    notify_investors: bool = True
    """One message a day to each investor who was paid."""

    administrators: tuple[EmailAddress, ...] = ()
    """Who gets the reports and the alerts of health and audit. Nobody: they are kept and logged all the same."""

    health: HealthSettings = HealthSettings()
    cleanup: CleanupSettings = CleanupSettings()
    notifications: NotificationSettings = NotificationSettings()

    # Reports: weekly_report, monthly_analytics, ledger_audit.
    top_plans: int = Field(default=5, ge=1, le=100)
    audit_days: int = Field(default=31, ge=1, le=3660)
    """Paid days that one ledger_audit looks through at most; the rest waits for the next."""
