"""What an operator may set about messages and reports. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ADDRESS = r"^[^@\s\x00-\x1f\x7f,;<>]+@[^@\s\x00-\x1f\x7f,;<>]+$"
EmailAddress = Annotated[str, StringConstraints(pattern=ADDRESS, max_length=254)]


class NotificationSettings(BaseModel):
    """`[suite.investment.notifications]`.

    `page`: people written to in one transaction. `stale_after_hours`: older than that, a message that nobody has
    been sent yet is news no more. `retry_failed_after_hours`: a message that failed for good is left once more
    then; 0 never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: int = Field(default=10_000, gt=0, le=100_000)
    stale_after_hours: int = Field(default=72, gt=0, le=24 * 366)
    retry_failed_after_hours: int = Field(default=6, ge=0, le=24)
