"""What an operator may set about students' summaries and profiles. Pure."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MOST_LOOKED_BACK = 120


class SummarySettings(BaseModel):
    """`[suite.tutoring.summaries]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: int = Field(default=2_000, gt=0, le=50_000)
    """Students whose summaries are written in one transaction."""
    models: dict[str, str] = Field(default_factory=dict)
    """Whom to ask for a sentence, by the provider's name, and which model of theirs. Empty: nobody."""
    at_most: int = Field(default=1_000, ge=0, le=1_000_000)
    """Students for whom one is asked."""
    minutes: int = Field(default=15, gt=0, le=45)
    """How long is asked."""


class ProfileSettings(BaseModel):
    """`[suite.tutoring.profiles]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    look_back_days: int = Field(default=90, gt=0, le=MOST_LOOKED_BACK)
    page: int = Field(default=5_000, gt=0, le=50_000)
    """Students whose profiles are worked out in one transaction."""
