"""The jobs as they are in force: the catalogue, under what the database says of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon import CatchUp, Cron, Every, OnDemand, Overlap, catalogue
from daemon.events import Event, Note
from daemon.job import Job, OnEvent, Poll
from daemon.ledger import KnownJob
from daemon.roster import Roster, coalesces, fingerprint_of
from tests.daemon.harness import a_job

MORNING = Cron("0 3 * * *")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def _nothing(_: object) -> None: ...


def made(trigger: Any = MORNING, name: str = "tea.brew", **options: Any) -> Job:
    return a_job(_nothing, trigger, name, **options)


def known(paused_by: str | None = None, **overrides: Any) -> KnownJob:
    return KnownJob("tea.brew", "cron 0 3 * * * UTC", NOON, 1, paused_by, overrides)


def test_an_override_is_in_force_until_it_is_taken_back() -> None:
    roster = Roster(catalogue.of([made()]), lambda _: None)
    assert roster.learn(known(retries=7, schedule="0 4 * * *")).retries == 7
    assert roster.jobs["tea.brew"].trigger == Cron("0 4 * * *")
    assert roster.learn(known()) == made()
    assert roster.jobs["tea.brew"] == made()


def test_an_override_that_makes_no_sense_is_ignored_aloud() -> None:
    said: list[Event] = []
    roster = Roster(catalogue.of([made()]), said.append)
    assert roster.learn(known(catch_up="each")) == made()
    assert isinstance(said[0], Note)
    assert said[0].warning
    assert said[0].text.startswith("tea.brew: its override is ignored: ")


def test_who_paused_a_job_is_known_until_it_is_resumed() -> None:
    roster = Roster(catalogue.of([made()]), lambda _: None)
    roster.learn(known("asha"))
    assert roster.paused == {"tea.brew": "asha"}
    roster.learn(known())
    assert roster.paused == {}


def test_a_reload_replaces_the_jobs_and_leaves_no_old_one() -> None:
    roster = Roster(catalogue.of([made(), made(name="tea.serve")]), lambda _: None)
    roster.adopt(catalogue.of([made(retries=9)]))
    assert {n: j.retries for n, j in roster.jobs.items()} == {"tea.brew": 9}


def test_polls_and_handlers_are_found_by_their_trigger() -> None:
    poll, handler = made(Poll(timedelta(seconds=1)), "tea.poll"), made(OnEvent("x"), "tea.on")
    roster = Roster(catalogue.of([made(), poll, handler]), lambda _: None)
    assert roster.polls == [poll]
    assert roster.handlers == [handler]
    assert len(roster.claimable) == 3


def test_a_handler_that_is_paused_or_disabled_is_handed_no_events() -> None:
    paused, disabled = made(OnEvent("x")), made(OnEvent("x"), "tea.off", enabled=False)
    roster = Roster(catalogue.of([paused, disabled]), lambda _: None)
    roster.learn(known("asha"))
    assert roster.handlers == []
    roster.learn(known())
    assert roster.handlers == [paused]


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (made(), "cron 0 3 * * * UTC"),
        (made(enabled=False), "disabled"),
        (made(Every(30, phase=2)), "every 30 phase 2"),
        (made(OnDemand()), "ondemand"),
        (made(Poll(timedelta(seconds=30))), "poll 30"),
        (made(OnEvent("tea.ready")), "event tea.ready"),
    ],
)
def test_what_the_database_keeps_of_a_schedule(job: Job, text: str) -> None:
    assert fingerprint_of(job) == text


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({}, True),
        ({"overlap": Overlap.QUEUE}, True),
        ({"overlap": Overlap.ALLOW}, False),
        ({"catch_up": CatchUp.NONE}, False),
        ({"catch_up": CatchUp.EACH(3), "overlap": Overlap.QUEUE}, False),
    ],
)
def test_only_the_latest_of_a_job_that_does_not_overlap_coalesces(options: dict[str, Any], answer: bool) -> None:
    assert coalesces(made(**options)) is answer
