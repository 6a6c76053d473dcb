"""The nearest known name, for every message about an unknown one."""

import pytest

from daemon.naming import did_you_mean


@pytest.mark.parametrize(
    ("wrong", "known", "said"),
    [
        ("leese", ["lease", "slots"], "; did you mean 'lease'?"),
        ("lease", [], ""),
        ("xyzzy", ["lease", "slots"], ""),
        ("", ["lease"], ""),
        ("tea.brwe", (n for n in ("tea.brew", "tea.serve")), "; did you mean 'tea.brew'?"),
    ],
)
def test_the_nearest_name_is_offered_and_a_far_one_is_not(wrong: str, known: list[str], said: str) -> None:
    assert did_you_mean(wrong, known) == said
