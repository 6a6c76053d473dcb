"""Suites are found by name, and everything wrong with them stops the start, all at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon import Context, OnDemand, catalogue, job, job_options, poll
from daemon.catalogue import Catalogue, UnknownJob
from daemon.config import ConfigError
from daemon.job import Job
from daemon.settings import Settings
from tests.daemon.harness import a_job
from tests.daemon.suites import House
from tests.daemon.suites import house as built


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with built(tmp_path) as a_house:
        yield a_house


def load(house: House, *suites: str, **sections: Any) -> Catalogue:
    names = [house.suite(name) for name in suites]
    return catalogue.load(Settings.model_validate({"suites": names, **sections}))


def problems(house: House, *suites: str, **sections: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(house, *suites, **sections)
    return caught.value.problems


def test_a_jobs_name_is_its_path(house: House) -> None:
    house.job("tea/brew.py")
    house.job("tea/serve.py", "Every(60)")
    house.write("tea/leaves.py", "raise RuntimeError('rules are not imported by the supervisor')")
    found = load(house, "tea")
    assert list(found.jobs) == ["tea.brew", "tea.serve"]
    assert found.packages == {"tea": house.suite("tea")}
    assert found.jobs["tea.brew"].summary == "Do nothing."


def test_two_jobs_of_the_same_interval_do_not_fire_together(house: House) -> None:
    house.job("tea/brew.py", "Every(60)")
    house.job("tea/serve.py", "Every(60)")
    brew, serve = load(house, "tea").jobs.values()
    assert brew.trigger != serve.trigger


def test_queues_are_found_where_they_are_declared(house: House) -> None:
    house.write(
        "tea/brew.py",
        "from daemon import *\nQUEUE = WorkQueue('tea.cup', 'id')\n"
        "@poll(seconds(30), wake=QUEUE)\nasync def brew(ctx): ...\n",
    )
    found = load(house, "tea")
    assert list(found.queues) == ["tea.cup"]
    assert getattr(found.jobs["tea.brew"].trigger, "wake", None) == "tea.cup"


def test_no_suites_are_no_error(house: House) -> None:
    assert load(house).jobs == {}


def test_an_unknown_suite_is_named(house: House) -> None:
    (said,) = problems(house, "coffee")
    assert said == f"suites: {house.suite('coffee')!r}: there is no such package on the import path"


def test_a_misspelt_suite_is_told_its_nearest_sibling(house: House) -> None:
    house.job("tea/brew.py")
    house.job("water/boil.py")
    (said,) = problems(house, "teaa")
    assert said.endswith(f"there is no such package on the import path; did you mean {house.suite('tea')!r}?")


@pytest.mark.parametrize("files", [["tea/__init__.py"], ["tea/settings.py", "tea/leaves.py"]])
def test_a_package_without_a_job_is_no_suite(house: House, files: list[str]) -> None:
    for file in files:
        house.write(file, "")
    (said,) = problems(house, "tea")
    assert said == (
        f"suites: {house.suite('tea')!r}: {house.folder / 'tea'} has no file that declares a job with @job, @poll or "
        "@on: name a suite's package"
    )


def test_a_suite_below_a_package_that_does_not_exist_is_named(house: House) -> None:
    with pytest.raises(ConfigError, match=r"'nowhere\.tea' cannot be loaded"):
        catalogue.load(Settings(suites=("nowhere.tea",)))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("undefined_name", "NameError: name 'undefined_name' is not defined"),
        ("raise RuntimeError('out of tea')", "RuntimeError: out of tea"),
        ("CatchUp.EACH(0)", "brew.py:7: ValueError: each 0"),
        ("(", "SyntaxError: '(' was never closed"),
        ("sql.load(__file__, 'x')", "FileNotFoundError: "),
    ],
)
def test_a_file_that_cannot_be_imported_says_why_and_where(house: House, line: str, said: str) -> None:
    file = house.job("tea/brew.py")
    file.write_text(f"{file.read_text()}\n{line}\n", encoding="utf-8")
    (problem,) = problems(house, "tea")
    assert problem.startswith(f"suites: {house.suite('tea')!r} cannot be loaded: ")
    assert said in problem
    assert "brew" in problem


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("OnDemand(), timeout=600", "timeout = 600: write a duration, such as minutes(10)"),
        ("OnDemand(), requires='tea.pour'", "requires = 'tea.pour': write a tuple of names"),
        ("OnDemand(), overlap='queue'", "overlap = 'queue': write Overlap.SKIP, Overlap.QUEUE or Overlap.ALLOW"),
        (
            "OnDemand(), catch_up='latest'",
            "catch_up = 'latest': write CatchUp.NONE, CatchUp.LATEST or CatchUp.EACH(31)",
        ),
        ("OnDemand(), retries=True", "retries = True: write a whole number, or None for the priority's own"),
        ("OnDemand(), timeuot=minutes(1)", "there is no option 'timeuot'; did you mean 'timeout'?"),
        ("'0 6 * * *'", "@job('0 6 * * *'): write when it is due, as in @job(Cron(\"0 6 * * *\"))"),
    ],
)
def test_what_a_job_is_declared_with_and_cannot_be_is_said_where_it_stands(
    house: House, declared: str, said: str
) -> None:
    house.job("tea/brew.py", declared)
    (problem,) = problems(house, "tea")
    assert "brew.py:" in problem
    assert said in problem


def test_a_decorator_without_its_schedule_and_a_poll_without_a_duration_are_mistakes_at_once() -> None:
    async def body(ctx: Context) -> None: ...

    with pytest.raises(TypeError, match="write when it is due"):
        job(body)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"@poll\(30\): write a duration"):
        poll(30)  # type: ignore[arg-type]


def test_every_option_of_a_job_has_its_rule() -> None:
    assert set(job_options.RULES) == {f.name for f in dataclasses.fields(Job)} - {"name", "body", "trigger"}


def test_every_file_that_cannot_be_imported_is_told_and_blamed_for_nothing_else(house: House) -> None:
    house.job("tea/brew.py")
    house.write("tea/leaves.py", "import nothing_of_that_name\n")
    for stem in ("pour", "serve"):
        file = house.job(f"tea/{stem}.py")
        file.write_text(f"from {house.suite('tea')} import leaves\n{file.read_text()}", encoding="utf-8")
    file = house.job("tea/wash.py")
    file.write_text(file.read_text() + "\nraise RuntimeError('no water')\n", encoding="utf-8")
    house.job("tea/drink.py", "OnDemand(), requires=('tea.serve', 'tea.sip')")
    leaves, water, wesh, sip = problems(house, "tea", jobs={"tea": {"wash": {"retries": 1}, "wesh": {"retries": 1}}})
    assert leaves.endswith("leaves.py:1: ModuleNotFoundError: No module named 'nothing_of_that_name'")
    assert water.endswith("RuntimeError: no water")
    assert wesh.startswith("jobs.tea.wesh: there is no such job")
    assert sip.startswith("tea.drink: depends on 'tea.sip', which does not exist")


def test_a_function_not_called_like_its_file_is_refused(house: House) -> None:
    house.job("tea/brew.py").rename(house.folder / "tea" / "steep.py")
    (said,) = problems(house, "tea")
    assert said.startswith(str(house.folder / "tea" / "steep.py"))
    assert said.endswith("so rename the function to 'steep' or the file to brew.py")


@pytest.mark.parametrize(("before", "after"), [("async def", "def"), ("'''Do nothing.'''", "yield")])
def test_a_body_that_cannot_be_awaited_is_refused(house: House, before: str, after: str) -> None:
    file = house.job("tea/brew.py")
    file.write_text(file.read_text().replace(before, after), encoding="utf-8")
    (said,) = problems(house, "tea")
    assert said == f"{file}: 'brew' cannot be awaited: write `async def`, and no `yield`"


def test_a_job_imported_from_another_file_is_not_declared_twice(house: House) -> None:
    house.job("tea/brew.py")
    file = house.job("tea/serve.py")
    file.write_text(f"from {house.suite('tea')}.brew import brew\n{file.read_text()}", encoding="utf-8")
    assert list(load(house, "tea").jobs) == ["tea.brew", "tea.serve"]


def test_two_suites_of_one_name_are_refused(house: House) -> None:
    house.job("tea/brew.py")
    house.job("other/tea/brew.py")
    (said,) = problems(house, "tea", "other.tea")
    assert said == f"suites: {house.suite('other.tea')!r} and {house.suite('tea')!r} are both called 'tea'"


def test_everything_wrong_with_every_suite_is_said_at_once(house: House) -> None:
    house.job("tea/brew.py", "Cron('0 0 30 2 *')")
    house.job("tea/serve.py", "OnDemand(), requires=('tea.brwe',)")
    house.write("coffee/grind.py", "@job(\n")
    said = problems(house, "tea", "coffee", "cocoa", jobs={"tea": {"brwe": {"retries": 1}}}, suite={"tae": {"a": 1}})
    assert len(said) == 6
    assert "jobs.tea.brwe: there is no such job; did you mean 'tea.brew'?" in said
    assert "suite.tae: no such suite is enabled; did you mean 'tea'?" in said
    assert "tea.serve: depends on 'tea.brwe', which does not exist; did you mean 'tea.brew'?" in said


SETTINGS = """
from pydantic import BaseModel, ConfigDict, SecretStr, model_validator
class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    cups: int = 2
    api_token: SecretStr | None = None
    @model_validator(mode="after")
    def consistent(self):
        if self.cups == 13:
            raise ValueError("thirteen at table")
        return self
"""


def test_a_suites_own_settings_are_typed(house: House) -> None:
    house.job("tea/brew.py")
    house.write("tea/settings.py", SETTINGS)
    assert load(house, "tea", suite={"tea": {"cups": "4"}}).settings["tea"].cups == 4  # type: ignore[union-attr]
    assert load(house, "tea").settings["tea"].cups == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cpus": 4}, "tea.toml: unknown key 'suite.tea.cpus'; did you mean 'cups'?"),
        ({"api_tokn": "hunter2"}, "tea.toml: unknown key 'suite.tea.api_tokn'; did you mean 'api_token'?"),
        ({"cups": "many"}, "tea.toml: suite.tea.cups = 'many': write a whole number"),
        ({"api_token": ["hunter2"]}, "tea.toml: suite.tea.api_token = (not shown): write text"),
        ({"cups": 13, "api_token": "hunter2"}, "tea.toml: suite.tea: thirteen at table"),
    ],
)
def test_a_suites_wrong_setting_is_named_and_no_secret_shown(house: House, given: Any, said: str) -> None:
    house.job("tea/brew.py")
    house.write("tea/settings.py", SETTINGS)
    settings = Settings.model_validate({"suites": [house.suite("tea")], "suite": {"tea": given}})
    with pytest.raises(ConfigError) as caught:
        catalogue.load(settings, {f"suite.tea.{key}": "tea.toml" for key in given})
    assert caught.value.problems == [said]


def test_settings_for_a_suite_that_has_none_are_refused(house: House) -> None:
    house.job("tea/brew.py")
    assert problems(house, "tea", suite={"tea": {"cups": 1}}) == ["suite.tea: this suite has no settings"]
    assert load(house, "tea").settings == {"tea": None}


def test_a_settings_file_that_cannot_be_imported_says_so(house: House) -> None:
    house.job("tea/brew.py")
    house.write("tea/settings.py", "Settings = undefined_name")
    (said,) = problems(house, "tea")
    assert "settings.py:1: NameError" in said


def test_a_configured_value_knows_where_it_came_from(house: House) -> None:
    house.job("tea/brew.py")
    settings = Settings.model_validate({"suites": [house.suite("tea")], "jobs": {"tea": {"brew": {"retries": 7}}}})
    found = catalogue.load(settings, {"jobs.tea.brew.retries": "environment"})
    assert found.jobs["tea.brew"].retries == 7
    assert found.origins == {"tea.brew": {"retries": "environment"}}


def test_what_is_only_surprising_is_a_warning(house: House) -> None:
    house.job("tea/brew.py", "Cron('*/25 * * * *')")
    (warning,) = load(house, "tea").warnings
    assert warning.startswith("tea.brew: ")


async def _nothing(_: object) -> None: ...


def test_a_job_answers_to_its_name_and_its_aliases() -> None:
    found = catalogue.of([a_job(_nothing, OnDemand(), "tea.brew", aliases=("brew-tea",))])
    assert found.resolve("tea.brew") is found.resolve("brew-tea")
    with pytest.raises(UnknownJob, match=r"there is no job 'tea.brw'; did you mean 'tea.brew'\?"):
        found.resolve("tea.brw")
    with pytest.raises(UnknownJob, match=r"did you mean 'brew-tea'\?"):
        found.resolve("brew-tee")
