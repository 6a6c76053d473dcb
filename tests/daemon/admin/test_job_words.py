"""The names that other systems call our jobs by."""

from __future__ import annotations

import pytest

from daemon import catalogue
from daemon.admin.api.job_words import Names, camel_case, names_of, resolved
from daemon.catalogue import UnknownJob
from daemon.job import Context
from daemon.schedule import OnDemand
from tests.daemon.harness import a_job


async def body(ctx: Context) -> None:
    return None


@pytest.mark.parametrize(
    ("aliases", "names"),
    [
        ((), Names("tea.daily_check", "tea", "dailyCheck", "lastDailyCheck", "dailyCheck")),
        (("daily-check",), Names("daily-check", "tea", "dailyCheck", "lastDailyCheck", "dailyCheck")),
        (
            ("daily-check", "reminder/dailyLook"),
            Names("daily-check", "reminder", "dailyLook", "lastDailyLook", "dailyLook"),
        ),
        (("lastCheck/checks",), Names("tea.daily_check", "tea", "dailyCheck", "lastCheck", "checks")),
        (("lasting/peace",), Names("tea.daily_check", "lasting", "peace", "lastPeace", "peace")),
    ],
)
def test_they_come_from_the_aliases(aliases: tuple[str, ...], names: Names) -> None:
    assert names_of(a_job(body, OnDemand(), "tea.daily_check", aliases=aliases)) == names


def test_a_job_is_found_by_type_and_name_however_they_are_written() -> None:
    found = catalogue.of([a_job(body, OnDemand(), "tea.daily_check", aliases=("reminder/dailyLook", "daily-check"))])
    for kind, task in (
        ("reminder", "dailyLook"), ("tea", "daily_check"), ("any", "daily-check"), ("any", "tea.daily_check"),
    ):  # fmt: skip
        assert resolved(found, kind, task).name == "tea.daily_check"
    with pytest.raises(UnknownJob, match=r"there is no job 'reminder\.nothing'"):
        resolved(found, "reminder", "nothing")


def test_a_job_without_an_alias_is_found_by_its_camel_case_name() -> None:
    found = catalogue.of([a_job(body, OnDemand(), "tea.daily_check")])
    assert resolved(found, "tea", "dailyCheck").name == "tea.daily_check"


def test_snakes_become_camels() -> None:
    assert [camel_case(word) for word in ("check", "daily_check", "a_b_c")] == ["check", "dailyCheck", "aBC"]
