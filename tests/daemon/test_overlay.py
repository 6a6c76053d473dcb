"""Decorator < config.toml < environment < an administrator's override: what each may say, and what it may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from daemon import CatchUp, Cron, Every, OnDemand, Overlap, Priority
from daemon.job import Job, OnEvent, Poll
from daemon.overlay import configured, laid_over, parse_schedule, typed
from daemon.schedule import phased
from daemon.settings import JobSettings
from tests.daemon.harness import a_job

MORNING = Cron("0 3 * * *", "Asia/Kolkata")


async def _nothing(_: object) -> None: ...


def made(trigger: Any = MORNING, **options: Any) -> Job:
    return a_job(_nothing, trigger, "tea.brew", **options)


@pytest.mark.parametrize(
    ("said", "field", "value"),
    [
        ({"enabled": False}, "enabled", False),
        ({"timeout": "90s"}, "timeout", timedelta(seconds=90)),
        ({"retries": 0}, "retries", 0),
        ({"retry_delay": 5}, "retry_delay", timedelta(seconds=5)),
        ({"priority": "critical"}, "priority", Priority.CRITICAL),
        ({"catch_up": "each 31"}, "catch_up", CatchUp.EACH(31)),
        ({"catch_up": "none"}, "catch_up", CatchUp.NONE),
        ({"max_lateness": "1h"}, "max_lateness", timedelta(hours=1)),
        ({"overlap": "queue"}, "overlap", Overlap.QUEUE),
        ({"requires": ["a.b"]}, "requires", ("a.b",)),
        ({"after": ["a.b"]}, "after", ("a.b",)),
        ({"dependency_timeout": "2h"}, "dependency_timeout", timedelta(hours=2)),
        ({"expected": "10m"}, "expected", timedelta(minutes=10)),
        ({"retention": "31d"}, "retention", timedelta(days=31)),
        ({"schedule": "0 4 * * *"}, "trigger", Cron("0 4 * * *", "Asia/Kolkata")),
        ({"timezone": "Europe/Zurich"}, "trigger", Cron("0 3 * * *", "Europe/Zurich")),
        ({"schedule": "@daily", "timezone": "UTC"}, "trigger", Cron("@daily", "UTC")),
        ({"schedule": "every 30"}, "trigger", phased(Every(30), "tea.brew")),
        ({"schedule": "every 1.5s"}, "trigger", phased(Every(1.5), "tea.brew")),
        ({"schedule": "every 1000ms"}, "trigger", phased(Every(1), "tea.brew")),
        ({"schedule": "ondemand"}, "trigger", OnDemand()),
    ],
)
def test_a_field_is_replaced_and_only_that(said: dict[str, Any], field: str, value: object) -> None:
    before = made()
    after = laid_over(before, typed(said))
    assert getattr(after, field) == value
    others = set(Job.__dataclass_fields__) - {field}
    assert {f: getattr(after, f) for f in others} == {f: getattr(before, f) for f in others}


def test_every_setting_of_a_job_has_an_effect() -> None:
    fields = set(Job.__dataclass_fields__) | {"schedule", "timezone"}
    assert set(JobSettings.model_fields) <= fields


def test_nothing_said_changes_nothing() -> None:
    before = made()
    assert laid_over(before, {}) == before


def test_the_herd_stays_spread_when_an_interval_is_configured() -> None:
    one, other = (laid_over(a_job(_nothing, OnDemand(), n), {"schedule": "every 60"}) for n in ("a.b", "a.c"))
    assert one.trigger != other.trigger


@pytest.mark.parametrize(
    ("trigger", "said", "why"),
    [
        (
            Poll(timedelta(seconds=30)),
            {"schedule": "@daily"},
            "its schedule cannot be changed: it is a poll or an event",
        ),
        (OnEvent("x"), {"timezone": "UTC"}, "its schedule cannot be changed"),
        (Every(30), {"timezone": "UTC"}, "timezone applies to cron schedules only"),
        (Cron("@daily"), {"schedule": "every soon"}, "soon"),
        (Every(30), {"schedule": "every 999ms"}, '"every 999ms": the shortest period is one second'),
        (Every(30), {"schedule": "every 0"}, '"every 0": the shortest period is one second'),
        (Cron("@daily"), {"catch_up": "each"}, 'catch-up "each" is not known; write none, latest or each N'),
        (Cron("@daily"), {"catch_up": "each 0"}, "the limit must be at least 1"),
    ],
)
def test_what_makes_no_sense_for_a_job_is_refused(trigger: Any, said: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        laid_over(made(trigger), said)


@pytest.mark.parametrize("stored", [{"timeout": "soon"}, {"retries": -1}, {"overlap": "maybe"}, {"nonsense": 1}])
def test_an_override_that_is_no_setting_is_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(stored))):
        typed(stored)


def test_a_schedule_is_written_as_cron_every_or_ondemand() -> None:
    assert parse_schedule(" every 30s ", "UTC") == parse_schedule("every 30", "UTC") == Every(30)
    assert parse_schedule("every 5 m", "UTC") == Every(300)
    assert parse_schedule("OnDemand", "UTC") == parse_schedule("ondemand", "UTC") == OnDemand()
    assert parse_schedule("Every 5m", "UTC") == Every(300)
    assert parse_schedule(" */5 * * * * ", "Europe/Zurich") == Cron("*/5 * * * *", "Europe/Zurich")


@pytest.mark.parametrize("text", ["every", "every soon", "every 5 parsecs", "every -5", "every 1e300", "every nan"])
def test_an_interval_that_is_no_duration_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=f'^"{text}": write a duration after every, such as "every 30s"'):
        parse_schedule(text, "UTC")


def test_configuration_for_unknown_jobs_and_bad_values_are_problems_with_the_jobs_name() -> None:
    problems: list[str] = []
    sections = {
        "tea": {"brwe": JobSettings(retries=1), "brew": JobSettings(catch_up="each")},
        "coffee": {"grind": JobSettings()},
    }
    jobs, where = configured({"tea.brew": made()}, sections, {"jobs.tea.brew.catch_up": "config.toml"}, problems)
    assert jobs == {"tea.brew": made()}
    assert where == {"tea.brew": {"catch_up": "config.toml"}}
    assert problems[0] == "jobs.tea.brwe: there is no such job; did you mean 'tea.brew'?"
    assert problems[1].startswith("jobs.tea.brew: catch-up")
    assert problems[2] == "jobs.coffee.grind: there is no such job"


def test_one_bad_value_hides_no_other() -> None:
    section = JobSettings(schedule="99 * * * *", timezone="Asia/Kolkata", catch_up="sometimes")
    problems: list[str] = []
    jobs, _ = configured({"a.b": a_job(_nothing, Cron("0 0 * * *"), "a.b")}, {"a": {"b": section}}, {}, problems)
    assert problems == ['jobs.a.b: catch-up "sometimes" is not known; write none, latest or each N, such as each 31']
    assert jobs["a.b"].trigger == Cron("99 * * * *", "Asia/Kolkata")  # which the catalogue's checks then refuse
