"""How old what students said and what the suite noted may become. Pure; ages are settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from workers.tutoring.student_settings import MOST_LOOKED_BACK

LONGEST_DAYS = 36525


class CleanupSettings(BaseModel):
    """`[suite.tutoring.cleanup]`. Ages are positive: nothing goes on the day it comes to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory_months: int = Field(default=8, gt=0, le=1200)
    """Of the calendar: a day that the month lacks is its last."""
    archive_days: int = Field(default=180, ge=MOST_LOOKED_BACK, le=LONGEST_DAYS)
    """Since the last message. No less than profiles may look back, so that moving a conversation changes none."""
    check_days: int = Field(default=30, gt=0, le=LONGEST_DAYS)
    """Checks of the system and of providers."""
    history_days: int = Field(default=365, gt=0, le=LONGEST_DAYS)
    """Incidents that are over, and providers' changes of state."""
    batch: int = Field(default=10_000, gt=0, le=100_000)
    """Rows deleted in one transaction."""
    conversations: int = Field(default=500, gt=0, le=10_000)
    """Moved in one transaction, with their messages."""
