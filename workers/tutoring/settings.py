"""What an operator may set under `[suite.tutoring]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def every_ms(shortest_ms: int) -> Callable[[str], str]:
    """Milliseconds, as the system before had its intervals, to a schedule; `ValueError` for less than `shortest_ms`."""

    def schedule(text: str) -> str:
        if not (text.isascii() and text.isdigit()) or not shortest_ms <= int(text) <= 86_400_000:
            raise ValueError(f"{text!r}: write whole milliseconds, from {shortest_ms} to 86400000 (a day)")
        return f"every {text}ms"

    return schedule


ENVIRONMENT: Mapping[str, tuple[tuple[str, ...], Callable[[str], object]]] = {
    "RATE_LIMIT_MONITOR_INTERVAL": (("jobs", "tutoring", "rate_limit_monitor", "schedule"), every_ms(1_000)),
    "HEALTH_CHECK_INTERVAL": (("jobs", "tutoring", "health_check", "schedule"), every_ms(10_000)),
    **{
        f"{name.upper()}_API_KEY": (("suite", "tutoring", "keys", name), str)
        for name in ("openai", "anthropic", "gemini", "mistral", "groq", "cohere")
    },
}
"""Names that people have in their environment anyway; `SEXTON_…` beats them."""


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
