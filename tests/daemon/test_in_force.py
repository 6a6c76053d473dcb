"""Words for what is in force and who said so."""

from __future__ import annotations

import pytest

from daemon.in_force import origin


@pytest.mark.parametrize(
    ("place", "word"),
    [
        (None, "decorator"), ("/etc/sexton/config.toml", "file"), ("config.toml [profile.production]", "file"),
        ("environment", "environment"), ("environment (RATE_LIMIT_MONITOR_INTERVAL)", "environment"),
        ("credential", "credential"), ("environment.toml", "file"),
    ],
)  # fmt: skip
def test_whoever_set_a_value_has_one_word(place: str | None, word: str) -> None:
    assert origin(place) == word
