"""Profiles of one file for several environments, and environment variables by names that are not ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import catalogue, config
from daemon.config import ConfigError
from tests.daemon.suites import House, house

FILE = """
[log]
level = "info"
format = "console"
[profile.production.log]
format = "json"
[profile.development.log]
level = "debug"
"""
SETTINGS = """
from pydantic import BaseModel
class Settings(BaseModel):
    cups: int = 1
def minutes(text):
    if not text.isdigit():
        raise ValueError(f"{text!r}: write whole minutes")
    return f"every {text}m"
ENVIRONMENT = {"STEEP": (("jobs", "tea", "brew", "schedule"), minutes), "CUPS": (("suite", "tea", "cups"), int),
               "TEACUPS": "cups"}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("environment", "level", "form"),
    [
        ({}, "info", "console"), ({"SEXTON_PROFILE": "production"}, "info", "json"),
        ({"NODE_ENV": "development"}, "debug", "console"), ({"NODE_ENV": "test"}, "info", "console"),
        ({"NODE_ENV": "development", "SEXTON_PROFILE": "production"}, "info", "json"),
        ({"SEXTON_PROFILE": "production", "SEXTON_LOG__FORMAT": "auto"}, "info", "auto"),
        ({"BACKGROUND_JOBS_LOG_LEVEL": "error", "NODE_ENV": "development"}, "error", "console"),
        ({"BACKGROUND_JOBS_LOG_LEVEL": "error", "SEXTON_LOG__LEVEL": "warning"}, "warning", "console"),
    ],
)  # fmt: skip
def test_a_profile_is_laid_over_the_file_and_the_environment_over_both(
    tmp_path: Path, environment: dict[str, str], level: str, form: str
) -> None:
    settings, _ = config.load(written(tmp_path, FILE), environment)
    assert (settings.log.level, settings.log.format) == (level, form)


def test_where_a_value_of_a_profile_came_from_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    _, origins = config.load(path, {"SEXTON_PROFILE": "production"})
    assert origins["log.format"] == f"{path} [profile.production]"
    with pytest.raises(ConfigError, match=r"\[profile.production\]"):
        config.load(written(tmp_path, FILE + '[profile.production.node]\nslots = "many"'), {"NODE_ENV": "production"})


def test_a_profile_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no .profile.productoin.; did you mean 'production'"):
        config.load(written(tmp_path, FILE), {"SEXTON_PROFILE": "productoin"})


def test_a_profile_that_is_no_section_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="write sections"):
        config.load(written(tmp_path, 'profile = "production"'), {})


@pytest.fixture
def tea(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        made.job("tea/brew.py", 'Cron("0 9 * * *", tz="UTC")')
        made.write("tea/settings.py", SETTINGS)
        yield made


def test_a_suites_own_names_beat_the_file_and_ours_beat_them(tmp_path: Path, tea: House) -> None:
    path = written(tmp_path, f'suites = ["{tea.suite("tea")}"]\n[suite.tea]\ncups = 2\n[jobs.tea.brew]\nretries = 7\n')
    settings, origins = config.load(path, {"STEEP": "4", "CUPS": "3"})
    assert settings.suite == {"tea": {"cups": 3}}
    assert settings.jobs["tea"]["brew"].schedule == "every 4m"
    assert settings.jobs["tea"]["brew"].retries == 7
    assert origins["suite.tea.cups"] == "environment (CUPS)"
    short, _ = config.load(path, {"TEACUPS": "5"})
    assert short.suite == {"tea": {"cups": "5"}}
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "suite.tea.cups").write_text("7", encoding="utf-8")
    beaten, _ = config.load(path, {"TEACUPS": "5", "CREDENTIALS_DIRECTORY": str(credentials)})
    assert beaten.suite == {"tea": {"cups": "7"}}
    wrong, told = config.load(path, {"TEACUPS": "many"})
    with pytest.raises(ConfigError, match=r"environment \(TEACUPS\): suite.tea.cups = 'many'"):
        catalogue.load(wrong, told)
    ours, _ = config.load(path, {"CUPS": "3", "SEXTON_SUITE__TEA__CUPS": "9"})
    assert ours.suite == {"tea": {"cups": "9"}}


def test_a_value_that_makes_no_sense_is_told_with_the_others(tmp_path: Path, tea: House) -> None:
    path = written(tmp_path, f'suites = ["{tea.suite("tea")}"]\n[node]\nslots = 0\n')
    with pytest.raises(ConfigError) as told:
        config.load(path, {"STEEP": "a while"})
    assert told.value.problems[0] == "STEEP: 'a while': write whole minutes"
    assert len(told.value.problems) == 2


def test_names_of_suites_that_are_not_enabled_say_nothing(tea: House) -> None:
    settings, _ = config.load(None, {"STEEP": "a while", "CUPS": "3"})
    assert settings.suite == {}


def test_a_suite_that_cannot_be_loaded_is_left_to_the_catalogue(tmp_path: Path, tea: House) -> None:
    tea.write("tea/settings.py", "import nothing_there")
    config.load(written(tmp_path, f'suites = ["{tea.suite("tea")}", "no.such.suite"]'), {"STEEP": "4"})


@pytest.mark.parametrize("said", ["false", "0", "no"])
def test_without_background_jobs_none_is_due(tmp_path: Path, tea: House, said: str) -> None:
    path = written(tmp_path, f'suites = ["{tea.suite("tea")}"]')
    for environment, enabled in (({}, True), ({"BACKGROUND_JOBS_ENABLED": said}, False)):
        settings, origins = config.load(path, environment)
        found = catalogue.load(settings, origins)
        assert [job.enabled for job in found.jobs.values()] == [enabled]
    assert found.origins["tea.brew"]["enabled"] == "environment (BACKGROUND_JOBS_ENABLED)"
