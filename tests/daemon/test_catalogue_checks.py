"""What is wrong with a set of jobs as a whole, as a table of jobs and sentences."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from daemon import CatchUp, Cron, Every, OnDemand, Overlap
from daemon.catalogue_checks import check
from daemon.job import Job, OnEvent, Poll
from daemon.settings import DatabaseSettings, Settings
from tests.daemon.harness import a_job

ON_DEMAND = OnDemand()


async def _nothing(_: object) -> None: ...


def errors(*jobs: Job, pool: int = 20) -> list[str]:
    settings = Settings(suites=(), database=DatabaseSettings(pool=pool))
    return check({j.name: j for j in jobs}, settings)[0]


def made(name: str = "a.b", trigger: Any = ON_DEMAND, **options: Any) -> Job:
    return a_job(_nothing, trigger, name, **options)


def test_a_sound_set_of_jobs_has_nothing_wrong() -> None:
    jobs = [
        made("a.cron", Cron("0 0 * * *", "Asia/Kolkata"), catch_up=CatchUp.EACH(31), overlap=Overlap.QUEUE),
        made("a.every", Every(30), requires=("a.cron",)),
        made("a.poll", Poll(timedelta(seconds=30)), after=("a.every",)),
        made("a.event", OnEvent("tea.ready"), aliases=("tea",)),
    ]
    assert check({j.name: j for j in jobs}, Settings(suites=())) == ([], [])


@pytest.mark.parametrize("overlap", [Overlap.SKIP, Overlap.ALLOW])
def test_every_instant_in_order_needs_a_queue(overlap: Overlap) -> None:
    (said,) = errors(made(trigger=Every(30), catch_up=CatchUp.EACH(31), overlap=overlap))
    assert said == f"a.b: catch_up 'each 31' runs every instant in order, so overlap must be 'queue', not '{overlap}'"


def test_what_is_owed_is_never_too_late() -> None:
    (said,) = errors(
        made(trigger=Every(30), catch_up=CatchUp.EACH(31), overlap=Overlap.QUEUE, max_lateness=timedelta(1))
    )
    assert said == "a.b: catch_up 'each 31' is never too late; remove max_lateness"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout": timedelta(0)}, "a.b: timeout must be above zero"),
        ({"connections": 21}, "a.b: needs 21 connections; database.pool has 20"),
        ({"connections": -1}, "a.b: needs -1 connections; database.pool has 20"),
        ({"requires": ("a.b",)}, "a.b: depends on itself"),
        ({"after": ("a.c",)}, "a.b: depends on 'a.c', which does not exist; did you mean 'a.b'?"),
        ({"requires": ("zzz",)}, "a.b: depends on 'zzz', which does not exist"),
        ({"aliases": ("a.b",)}, "a.b: the alias 'a.b' already means 'a.b'"),
        ({"trigger": Poll(timedelta(0))}, "a.b: a poll needs an interval above zero"),
        ({"trigger": Cron("0 0 * * *", "Asia/Calcuta")}, 'did you mean "Asia/Calcutta"?'),
    ],
)
def test_one_thing_wrong_is_one_sentence(options: dict[str, Any], said: str) -> None:
    (only,) = errors(made(**options))
    assert said in only


def test_no_connections_at_all_is_allowed() -> None:
    assert errors(made(connections=0)) == []


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "0 0 31 4 *", "61 * * * *", "H * * * *"])
def test_a_date_that_never_comes_or_a_line_that_is_none_stops_the_start(expression: str) -> None:
    assert errors(made(trigger=Cron(expression)))[0].startswith("a.b: ")


@pytest.mark.parametrize("expression", ["*/25 * * * *", "0 0 */2 * MON"])
def test_a_surprising_schedule_is_a_warning(expression: str) -> None:
    found, warnings = check({"a.b": made(trigger=Cron(expression))}, Settings(suites=()))
    assert found == []
    assert warnings
    assert all(w.startswith("a.b: ") for w in warnings)


def test_dependencies_that_go_in_a_circle_are_shown_as_one() -> None:
    jobs = [made("a.x", requires=("a.y",)), made("a.y", after=("a.z",)), made("a.z", requires=("a.x",)), made("a.w")]
    (said,) = errors(*jobs)
    assert said.startswith("dependencies form a cycle: ")
    assert {"a.x", "a.y", "a.z"} == set(said.removeprefix("dependencies form a cycle: ").split(" → "))


@pytest.mark.parametrize("alias", ["a.y", "same"])
def test_an_alias_means_one_job(alias: str) -> None:
    said = errors(made("a.x", aliases=(alias,)), made("a.y", aliases=("same",)))
    assert len(said) == 1
    assert f"the alias {alias!r} already means" in said[0]


def test_everything_wrong_with_every_job_is_said_at_once() -> None:
    said = errors(
        made("a.x", timeout=timedelta(0), connections=99, requires=("a.q", "a.y")),
        made("a.y", Cron("0 0 30 2 *"), after=("a.x",)),
    )
    assert len(said) == 5
