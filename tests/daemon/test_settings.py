"""The settings' own types: durations, bounds, and where the state directory is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from daemon.settings import JobSettings, Settings, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (30, 30), (0.25, 0.25), ("30", 30), ("1.5s", 1.5), ("250ms", 0.25), ("10m", 600), ("10min", 600),
        (" 6 h ", 21600), ("31d", 2678400), (timedelta(minutes=2), 120),
    ],
)  # fmt: skip
def test_a_duration_is_seconds_or_a_number_with_a_unit(text: object, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "soon", "10 parsecs", "-5s", "1h30m", True, None, [30], float("inf"), float("nan"), 1e300, "9" * 30]
)
def test_anything_else_is_refused_with_the_remedy(text: object) -> None:
    with pytest.raises(ValueError, match="write a duration as seconds or text such as"):
        parse_duration(text)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none()))
def test_no_value_whatever_breaks_the_reading_of_a_duration(value: object) -> None:
    try:
        parsed = parse_duration(value)
    except ValueError:
        return
    assert isinstance(parsed, timedelta)


@given(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "min", "h", "d"]))
def test_units_are_exact(count: int, unit: str) -> None:
    one = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}[unit]
    assert parse_duration(f"{count}{unit}") == timedelta(seconds=count * one)


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("node", {"lease": 0}), ("node", {"lease": -1}), ("node", {"lease": "499ms"}),
        ("node", {"slots": 0}), ("node", {"drain_timeout": -1}),
        ("pool", {"size": 0}), ("pool", {"size": 6}), ("database", {"pool": 0}), ("metrics", {"listen": "9464"}),
        ("metrics", {"listen": "127.0.0.1:99999"}),
        ("queues", {"retry_delay": 0}), ("log", {"format": "xml"}),
    ],
)  # fmt: skip
def test_values_beyond_their_bounds_are_refused(section: str, values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({section: values})


def test_a_lease_that_no_node_could_renew_is_refused_with_the_reason() -> None:
    with pytest.raises(ValidationError, match='write at least "500ms": a node has to renew it in time'):
        Settings.model_validate({"node": {"lease": "1ms"}})
    assert Settings.model_validate({"node": {"lease": "500ms"}}).node.lease == timedelta(milliseconds=500)


def test_a_drain_timeout_of_zero_is_allowed() -> None:
    assert Settings.model_validate({"node": {"drain_timeout": 0}}).node.drain_timeout == timedelta(0)


def test_a_job_setting_that_is_absent_means_as_its_decorator_says() -> None:
    assert JobSettings().model_dump(exclude_none=True) == {}


def test_settings_do_not_change_under_their_readers() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().node.slots = 3  # type: ignore[misc]


def test_the_state_directory_is_the_setting_then_systemds_then_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert Settings().state_dir == Path.home() / ".local/state/sexton"
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert Settings().state_dir == Path("/xdg/sexton")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/sexton:/var/lib/other")
    assert Settings().state_dir == Path("/var/lib/sexton")
    assert Settings.model_validate({"database": {"state_dir": "/mine"}}).state_dir == Path("/mine")
