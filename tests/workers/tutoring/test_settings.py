"""What operators may set, by our names and by those of the system before."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon import Cron, Every, catalogue, config
from daemon.config import ConfigError


def jobs(tmp_path: Path, environment: dict[str, str], text: str = "") -> catalogue.Catalogue:
    path = tmp_path / "config.toml"
    path.write_text(f'suites = ["workers.tutoring"]\n{text}', encoding="utf-8")
    settings, origins = config.load(path, environment)
    return catalogue.load(settings, origins)


def test_intervals_in_milliseconds_become_schedules(tmp_path: Path) -> None:
    found = jobs(tmp_path, {"RATE_LIMIT_MONITOR_INTERVAL": "5000", "HEALTH_CHECK_INTERVAL": "60000"}).jobs
    monitor, health = found["tutoring.rate_limit_monitor"].trigger, found["tutoring.health_check"].trigger
    assert isinstance(monitor, Every)
    assert isinstance(health, Every)
    assert (monitor.seconds, health.seconds) == (5, 60)


def test_without_them_the_jobs_own_times_hold_and_the_file_may_say_others(tmp_path: Path) -> None:
    text = '[jobs.tutoring.rate_limit_monitor]\nschedule = "every 20s"\n'
    found = jobs(tmp_path, {}, text).jobs
    assert found["tutoring.health_check"].trigger == Cron("*/5 * * * *", tz="UTC")
    monitor = found["tutoring.rate_limit_monitor"].trigger
    assert isinstance(monitor, Every)
    assert monitor.seconds == 20


@pytest.mark.parametrize("value", ["999", "0", "-5000", "5s", "5e3", "99999999999"])
def test_an_interval_under_a_second_or_no_number_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match=r"RATE_LIMIT_MONITOR_INTERVAL: .*write whole milliseconds, from 1000"):
        jobs(tmp_path, {"RATE_LIMIT_MONITOR_INTERVAL": value})


def test_keys_come_from_their_usual_names_and_are_never_shown(tmp_path: Path) -> None:
    settings = jobs(tmp_path, {"OPENAI_API_KEY": "sk-1", "GROQ_API_KEY": "gsk-2"}).settings["tutoring"]
    assert settings is not None
    keys = settings.keys  # type: ignore[attr-defined]
    assert {name: key.get_secret_value() for name, key in keys.items()} == {"openai": "sk-1", "groq": "gsk-2"}
    assert "sk-1" not in repr(settings)
    with pytest.raises(ConfigError) as told:
        jobs(tmp_path, {"OPENAI_API_KEY": "sk 1 with spaces"})
    assert "sk 1" not in str(told.value)
