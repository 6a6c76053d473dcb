"""What is well, what is not, and what to do about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from workers.tutoring.health_rules import (
    Finding,
    HealthSettings,
    machine_findings,
    overall,
    recommendations,
    slow_findings,
)
from workers.tutoring.list_models import Checked

SETTINGS = HealthSettings()
UP, DOWN = Checked("up", 200, 10), Checked("down", 500, 10, "HTTP 500")
LIMITED, MISCONFIGURED = Checked("limited", 429, 10, "HTTP 429"), Checked("misconfigured", 401, 10, "HTTP 401")
FULL = Finding("disk_free_pct:/", "critical", 1.0, "Delete")


@pytest.mark.parametrize(
    ("check", "value", "severity"),
    [
        ("resident_mb", 100, "ok"), ("resident_mb", 100.1, "warning"), ("resident_mb", 500.1, "critical"),
        ("disk_free_pct:/", 10, "ok"), ("disk_free_pct:/", 9.9, "warning"), ("disk_free_pct:/", 4.9, "critical"),
        ("disk_free_pct:/", None, "warning"), ("database_ms", 501, "warning"), ("database_ms", None, "warning"),
    ],
)  # fmt: skip
def test_the_limits_of_the_machine(check: str, value: float | None, severity: str) -> None:
    (found,) = machine_findings({check: value}, SETTINGS)
    assert found.severity == severity
    assert (found.advice is None) == (severity == "ok")


@pytest.mark.parametrize(
    ("job", "took_s", "severity"),
    [
        ("somebody_elses", 61, "warning"), ("somebody_elses", 301, "critical"), ("somebody_elses", 60, None),
        ("weekly_summary_generation", 7200, None), ("weekly_summary_generation", 7201, "warning"),
        ("weekly_summary_generation", 18001, "critical"), ("rate_limit_monitor", 11, "warning"),
    ],
)  # fmt: skip
def test_a_run_is_slow_by_what_is_expected_of_it(job: str, took_s: float, severity: str | None) -> None:
    found = list(slow_findings({job: timedelta(seconds=took_s)}, SETTINGS))
    assert [f.severity for f in found] == ([severity] if severity else [])


def test_what_is_expected_of_a_job_is_a_setting() -> None:
    assert HealthSettings(expected_s={"cache_cleanup": 1}).execution_limits_s("cache_cleanup") == (2, 5)


@pytest.mark.parametrize(
    ("providers", "findings", "said"),
    [
        ({}, [], "unconfigured"), ({}, [FULL], "unhealthy"),
        ({}, [Finding("resident_mb", "critical", 600)], "degraded"),
        ({"a": UP, "b": LIMITED}, [], "healthy"), ({"a": UP, "b": DOWN}, [], "degraded"),
        ({"a": UP, "b": MISCONFIGURED}, [], "degraded"), ({"a": DOWN, "b": MISCONFIGURED}, [], "unhealthy"),
        ({"a": UP}, [FULL], "unhealthy"), ({"a": UP}, [Finding("resident_mb", "critical", 600)], "degraded"),
        ({"a": UP}, [Finding("resident_mb", "warning", 120)], "healthy"),
    ],
)  # fmt: skip
def test_overall(providers: dict[str, Checked], findings: list[Finding], said: str) -> None:
    assert overall(providers, findings) == said


def test_the_gravest_is_recommended_first_and_nothing_is_left_out() -> None:
    said = recommendations({"a": UP, "b": DOWN, "c": MISCONFIGURED, "d": LIMITED}, [FULL], ["e"], ["f"])
    assert [line.partition(" ")[0] for line in said] == ["Delete", "Wait", "Renew", "Ask", "f", "Not"]


@pytest.mark.parametrize(
    "wrong",
    [{"memory_warning_mb": 500}, {"disk_warning_pct": 5}, {"execution_warning_s": 300}, {"provider_timeout_s": 0}],
)
def test_limits_that_make_no_sense_are_told(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        HealthSettings(**wrong)  # type: ignore[arg-type]
