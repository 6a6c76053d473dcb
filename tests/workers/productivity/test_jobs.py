"""The suite as the engine finds it: six reminders under the names that callers know, on ticks that serve every zone."""

from __future__ import annotations

import pytest

from daemon import catalogue
from daemon.config import ConfigError
from daemon.config import load as configured
from daemon.settings import Settings

NAMES = ("goalDeadlines", "dailyCheck", "weeklyReview", "inactiveUsers", "breakReminders", "monthlyReport")


def loaded(environment: dict[str, str]) -> catalogue.Catalogue:
    return catalogue.load(*configured(None, {"SEXTON_SUITES": "workers.productivity", **environment}))


def test_the_reminders_answer_to_the_names_that_callers_know() -> None:
    jobs = catalogue.load(Settings.model_validate({"suites": ["workers.productivity"]}))
    for name in NAMES:
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        assert jobs.resolve(f"reminder/{name}").name == f"productivity.{snake}"


def test_the_usual_names_in_the_environment_are_honoured_and_beaten_by_ours() -> None:
    usual = {
        "FRONTEND_URL": "https://app.example.org/", "ANALYTICS_RETENTION_DAYS": "400", "CLEANUP_INTERVAL_DAYS": "90",
    }  # fmt: skip
    settings = loaded(usual).settings["productivity"]
    assert settings is not None
    assert settings.model_dump(exclude={"reminders"}) == {
        "frontend_url": "https://app.example.org", "analytics_retention_days": 400, "cleanup_interval_days": 90,
    }  # fmt: skip
    ours = loaded({**usual, "SEXTON_SUITE__PRODUCTIVITY__FRONTEND_URL": "https://ours.example.org"})
    assert ours.settings["productivity"].frontend_url == "https://ours.example.org"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("FRONTEND_URL", "app.example.org", "write the address of the application's pages"),
        ("FRONTEND_URL", "https://a.example/?x=1", "nothing may follow the path"),
        ("REMINDERS__TIMEZONE", "Mars/Olympus", 'unknown time zone "Mars/Olympus"'),
        ("REMINDERS__DEFAULT_TIMEZONE", "", "default_timezone"),
        ("REMINDERS__GOAL_DEADLINES_AT", "09:00+02:00", "write HH:MM, without an offset"),
        ("REMINDERS__WINDOW_HOURS", "25", "at most 24"),
        ("CLEANUP_INTERVAL_DAYS", "0", "at least 31"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(key: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded({f"SEXTON_SUITE__PRODUCTIVITY__{key}": value})
    (problem,) = caught.value.problems
    assert said in problem
    assert problem.startswith(f"environment: suite.productivity.{key.lower().replace('__', '.')}")
