"""What is well and what is not, and what to do about it. Pure; the limits are settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workers.tutoring.list_models import Checked

STRICT = ConfigDict(extra="forbid", frozen=True)
WARNING_TIMES, CRITICAL_TIMES = 2, 5
"""So many times its expected duration a run is worth a warning, and critical."""
EXPECTED_S: Mapping[str, float] = {
    "health_check": 30, "rate_limit_monitor": 5, "cache_cleanup": 120, "daily_memory_cleanup": 300,
    "usage_analysis": 600, "automated_backup": 1800, "profile_refresh": 900, "weekly_summary_generation": 3600,
    "database_maintenance": 600, "archive_conversations": 300, "monthly_quota_reset": 60,
}  # fmt: skip
"""How long the jobs usually take at most."""


class HealthSettings(BaseModel):
    """`[suite.tutoring.health]`. Megabytes are MiB of the daemon's resident memory; percents are of free disk space."""

    model_config = STRICT

    provider_timeout_s: float = Field(default=5, gt=0, le=20)
    consecutive_failures: int = Field(default=3, ge=1, le=100)
    """Failed checks of a provider in a row before somebody is told."""
    database_warning_ms: float = Field(default=500, gt=0)
    database_critical_ms: float = Field(default=2000, gt=0)
    execution_warning_s: float = Field(default=60, gt=0)
    execution_critical_s: float = Field(default=300, gt=0)
    """Of jobs without an expected duration; the others have twice and five times theirs."""
    expected_s: dict[str, float] = Field(default_factory=dict)
    """By job, without `tutoring.`; instead of the suite's own figures."""
    memory_warning_mb: float = Field(default=100, gt=0)
    memory_critical_mb: float = Field(default=500, gt=0)
    disk_warning_pct: float = Field(default=10, gt=0, le=100)
    disk_critical_pct: float = Field(default=5, ge=0, le=100)
    disks: tuple[Path, ...] = (Path("/"),)

    @model_validator(mode="after")
    def ordered(self) -> Self:
        for what in ("database_{}_ms", "execution_{}_s", "memory_{}_mb"):
            warning, critical = (what.format(word) for word in ("warning", "critical"))
            if getattr(self, warning) >= getattr(self, critical):
                raise ValueError(f"{warning} = {getattr(self, warning):g} must be less than {critical}")
        if self.disk_warning_pct <= self.disk_critical_pct:
            raise ValueError(
                f"disk_warning_pct = {self.disk_warning_pct:g} must be over disk_critical_pct: less is worse"
            )
        return self

    def execution_limits_s(self, job: str) -> tuple[float, float]:
        """Warning and critical, in seconds. `job`: its name without the suite's."""
        expected = self.expected_s.get(job, EXPECTED_S.get(job))
        if expected is None:
            return self.execution_warning_s, self.execution_critical_s
        return WARNING_TIMES * expected, CRITICAL_TIMES * expected


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged measurement. `severity`: ok, warning or critical. `advice`: what to do about it."""

    check: str
    severity: str
    value: float | None
    advice: str | None = None


def machine_findings(readings: Mapping[str, float | None], settings: HealthSettings) -> Iterator[Finding]:
    """`readings`: `resident_mb`, `database_ms` and `disk_free_pct:PATH`; others are not judged."""
    for check, value in readings.items():
        kind, _, place = check.partition(":")
        if kind == "resident_mb":
            limits = settings.memory_warning_mb, settings.memory_critical_mb
            yield _over(check, value, limits, "The daemon uses {value:g} MB of memory: look at its pool and jobs")
        elif kind == "database_ms":
            limits = settings.database_warning_ms, settings.database_critical_ms
            yield _over(check, value, limits, "The database takes {value:g} ms for nothing: look at its load")
        elif kind == "disk_free_pct":
            yield _disk(check, place, value, settings)


def slow_findings(runs: Mapping[str, timedelta], settings: HealthSettings) -> Iterator[Finding]:
    """`runs`: the longest lately, by job without the suite's name. Only what is too long is a finding."""
    for job, took in runs.items():
        found = _over(
            f"execution_s:{job}", took.total_seconds(), settings.execution_limits_s(job),
            f"tutoring.{job} took {{value:g}} s: `sexton runs tutoring.{job}` shows when it became slow",
        )  # fmt: skip
        if found.severity != "ok":
            yield found


def _over(check: str, value: float | None, limits: tuple[float, float], advice: str) -> Finding:
    if value is None:
        return Finding(check, "warning", None, f"{check} could not be measured")
    severity = "critical" if value > limits[1] else "warning" if value > limits[0] else "ok"
    value = round(value, 1)
    return Finding(check, severity, value, None if severity == "ok" else advice.format(value=value))


def _disk(check: str, place: str, value: float | None, settings: HealthSettings) -> Finding:
    if value is None:
        return Finding(check, "warning", None, f"The disk of {place} could not be measured")
    critical, warning = value < settings.disk_critical_pct, value < settings.disk_warning_pct
    severity = "critical" if critical else "warning" if warning else "ok"
    advice = f"{value:.1f} % of the disk of {place} are free: delete old backups and logs, or enlarge it"
    return Finding(check, severity, round(value, 1), None if severity == "ok" else advice)


def overall(providers: Mapping[str, Checked], findings: Sequence[Finding]) -> str:
    """healthy, degraded, unhealthy; or unconfigured, where all else is well and no provider is checked.

    Unhealthy: of the providers that are checked none is there, or a disk is full. A database that is down needs no word
    here: nothing could be kept, and the engine itself tells.
    """
    bad = [name for name, checked in providers.items() if not checked.ok]
    full = any(f.severity == "critical" and f.check.startswith("disk_free_pct:") for f in findings)
    if full or (providers and len(bad) == len(providers)):
        return "unhealthy"
    if bad or any(f.severity == "critical" for f in findings):
        return "degraded"
    return "healthy" if providers else "unconfigured"


def recommendations(
    providers: Mapping[str, Checked], findings: Sequence[Finding], without_key: Sequence[str], diverted: Sequence[str]
) -> list[str]:
    """What to do, the gravest first."""
    words = {
        "misconfigured": "Renew the key of {name}: {error}",
        "down": "Wait for {name}, or take it out of the chain: {error}",
        "limited": "Ask {name} for a higher limit, or move it down the chain: {error}",
    }
    said = [f.advice for f in findings if f.advice and f.severity == "critical"]
    said += [words[c.verdict].format(name=name, error=c.error) for name, c in providers.items() if c.verdict != "up"]
    said += [f.advice for f in findings if f.advice and f.severity != "critical"]
    said += [f"{name} is past its limits and others stand in: raise them, or add a provider" for name in diverted]
    if without_key:
        said.append(
            f"Not checked for want of a key: {', '.join(without_key)}; set suite.tutoring.keys, such as "
            f"SEXTON_SUITE__TUTORING__KEYS__{without_key[0].upper()} in the environment"
        )
    elif not providers:
        said.append("Nobody is checked: every provider is disabled; enable one in tutoring.ai_provider")
    return said


def as_checks(providers: Mapping[str, Checked], findings: Sequence[Finding]) -> dict[str, dict[str, Any]]:
    """As `system_check.checks` keeps them."""
    kept: dict[str, dict[str, Any]] = {f.check: {"value": f.value, "severity": f.severity} for f in findings}
    for name, c in providers.items():
        kept[f"provider:{name}"] = {
            "value": c.latency_ms,
            "severity": "ok" if c.ok else "critical",
            "verdict": c.verdict,
        }
    return kept
