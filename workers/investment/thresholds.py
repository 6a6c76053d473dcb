"""When a measurement is a warning or critical, and what is to be said about it. Pure; the limits are settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

STRICT = ConfigDict(extra="forbid", frozen=True)


class Severity(IntEnum):
    OK = 0
    WARNING = 1
    CRITICAL = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class Ceiling(BaseModel):
    """Too much is bad: over `warning` is a warning, over `critical` critical. Exactly at a limit is still below it."""

    model_config = STRICT
    warning: float = Field(ge=0, allow_inf_nan=False)
    critical: float = Field(ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def ordered(self) -> Self:
        if self.warning >= self.critical:
            raise ValueError(f"warning = {self.warning:g} must be less than critical = {self.critical:g}")
        return self

    def severity(self, value: float) -> Severity:
        return Severity((value > self.warning) + (value > self.critical))

    def limit(self, severity: Severity) -> str:
        return f"over {self.critical if severity is Severity.CRITICAL else self.warning:g}"


class Floor(BaseModel):
    """Too little is bad: under `warning` percent is a warning, under `critical` critical."""

    model_config = STRICT
    warning: float = Field(ge=0, le=100)
    critical: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def ordered(self) -> Self:
        if self.warning <= self.critical:
            raise ValueError(f"warning = {self.warning:g} must be over critical = {self.critical:g}: less is worse")
        return self

    def severity(self, value: float) -> Severity:
        return Severity((value < self.warning) + (value < self.critical))

    def limit(self, severity: Severity) -> str:
        return f"under {self.critical if severity is Severity.CRITICAL else self.warning:g}"


class HealthSettings(BaseModel):
    """`[suite.investment.health]`. `disks` are paths whose file systems are watched."""

    model_config = STRICT

    database_ms: Ceiling = Ceiling(warning=500, critical=2000)
    resident_mb: Ceiling = Ceiling(warning=512, critical=1024)
    memory_free_pct: Floor = Floor(warning=10, critical=5)
    disk_free_pct: Floor = Floor(warning=10, critical=5)
    load_per_core: Ceiling = Ceiling(warning=1.5, critical=3)
    pending_transactions: Ceiling = Ceiling(warning=0, critical=100)
    pending_after_minutes: int = Field(default=30, gt=0)
    active_within_minutes: int = Field(default=15, gt=0)
    disks: tuple[Path, ...] = (Path("/"),)


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged measurement. `value` None: it could not be taken, which is a warning of its own."""

    check: str
    severity: Severity
    value: float | None
    limit: str

    @property
    def sentence(self) -> str:
        if self.value is None:
            return f"{self.check} could not be measured"
        return f"{self.check} is {self.value:g}" + (f" ({self.limit})" if self.limit else "")


def judge(readings: Mapping[str, float | None], settings: HealthSettings) -> list[Finding]:
    """`readings`: check → value in the unit of its name. A check `disk_free_pct:/data` has the limits of
    `disk_free_pct`. Raises `AttributeError` for a check without limits."""
    return [_judged(check, value, settings) for check, value in readings.items()]


def _judged(check: str, value: float | None, settings: HealthSettings) -> Finding:
    limits: Ceiling | Floor = getattr(settings, check.partition(":")[0])
    if value is None:
        return Finding(check, Severity.WARNING, None, "")
    severity = limits.severity(value)
    return Finding(check, severity, round(value, 3), "" if severity is Severity.OK else limits.limit(severity))


@dataclass(frozen=True, slots=True)
class Trouble:
    """A check that is not well, since when. What is well has no row."""

    severity: Severity
    since: datetime


@dataclass(frozen=True, slots=True)
class News:
    """Something to tell. `key` makes it once: per check, severity and hour; a recovery per trouble."""

    finding: Finding
    since: datetime
    key: str

    @property
    def recovered(self) -> bool:
        return self.finding.severity is Severity.OK


def news(before: Mapping[str, Trouble], findings: Sequence[Finding], at: datetime) -> Iterator[News]:
    """What to tell at `at` (aware), given the troubles known before. A check nobody takes any more is no recovery."""
    hour = at.astimezone(UTC).strftime("%Y-%m-%dT%HZ")
    for finding in findings:
        trouble = before.get(finding.check)
        since = trouble.since if trouble else at
        if finding.severity is not Severity.OK:
            yield News(finding, since, f"health:{finding.check}:{finding.severity.word}:{hour}")
        elif trouble:
            stamp = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
            yield News(finding, since, f"health:{finding.check}:recovered:{stamp}")
