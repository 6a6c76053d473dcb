"""What an operator may set under `[suite.tutoring]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from workers.tutoring.cleanup_settings import CleanupSettings
from workers.tutoring.failover import LimitSettings
from workers.tutoring.health_rules import HealthSettings
from workers.tutoring.provider_keys import ApiKey
from workers.tutoring.student_settings import ProfileSettings, SummarySettings
from workers.tutoring.usage_advice import UsageSettings

ADDRESS = r"^[^@\s\x00-\x1f\x7f,;<>]+@[^@\s\x00-\x1f\x7f,;<>]+$"
EmailAddress = Annotated[str, StringConstraints(pattern=ADDRESS, max_length=254)]


class Settings(BaseModel):
    """Who is told, first; then what each part of the suite needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    administrators: tuple[EmailAddress, ...] = ()
    """Who gets the alerts of providers and health, and the reports. Nobody: they are kept and logged all the same."""

    keys: dict[str, ApiKey] = Field(default_factory=dict)
    """API keys by the provider's name, from the environment (SEXTON_SUITE__TUTORING__KEYS__OPENAI) or a systemd
    credential (suite.tutoring.keys.openai)."""

    limits: LimitSettings = LimitSettings()
    health: HealthSettings = HealthSettings()
    cleanup: CleanupSettings = CleanupSettings()
    usage: UsageSettings = UsageSettings()
    summaries: SummarySettings = SummarySettings()
    profiles: ProfileSettings = ProfileSettings()
