"""`sexton jobs`: the crontab of the house."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from daemon.actions import pause_job
from daemon.actions_deed import Actor
from daemon.actions_overrides import reschedule_job
from daemon.catalogue import Catalogue
from daemon.settings import JobSettings
from tests.daemon.cli.console import Console
from tests.databases import on_database

KEYS = [
    "name", "suite", "kind", "schedule", "timezone", "next", "timeout_s", "priority", "catch_up", "depends_on",
    "enabled", "last", "origins",
]  # fmt: skip


def by_name(answer: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {job["name"]: job for job in answer}


def test_the_json_form_is_an_interface(sexton: Console) -> None:
    done = sexton("jobs", "--json").ok()
    assert done.err == ""
    jobs = by_name(done.json)
    assert list(jobs) == sorted(jobs)
    assert all(list(job) == KEYS for job in jobs.values())
    nightly = jobs["house.nightly"]
    upcoming = [datetime.fromisoformat(at) for at in nightly.pop("next")]
    assert nightly == {
        "name": "house.nightly",
        "suite": "house",
        "kind": "cron",
        "schedule": "30 2 * * *",
        "timezone": "Europe/Zurich",
        "timeout_s": 600,
        "priority": "critical",
        "catch_up": "each 5",
        "depends_on": [],
        "enabled": True,
        "last": None,
        "origins": dict.fromkeys(JobSettings.model_fields, "decorator"),
    }
    assert len(upcoming) == 3
    assert all(at.utcoffset() in (timedelta(hours=1), timedelta(hours=2)) for at in upcoming)
    assert upcoming[0] > datetime.now(UTC)


def test_every_kind_of_job_has_its_word(sexton: Console) -> None:
    jobs = by_name(sexton("jobs", "--json").json)
    assert {name.partition(".")[2]: (job["kind"], job["schedule"]) for name, job in jobs.items()} == {
        "broken": ("ondemand", "ondemand"),
        "drain": ("poll", "poll 30s"),
        "heard": ("event", "event thing.happened"),
        "nightly": ("cron", "30 2 * * *"),
        "report": ("cron", "0 6 * * *"),
        "slow": ("ondemand", "ondemand"),
        "tick": ("every", "every 3600s"),
    }
    first, second, _ = (datetime.fromisoformat(at) for at in jobs["house.drain"]["next"])
    assert second - first == timedelta(seconds=30)
    assert jobs["house.report"]["depends_on"] == ["house.nightly"]


async def test_each_value_has_its_origin(
    sexton: Console, ledger: asyncpg.Connection, house: Catalogue, tmp_path: Path
) -> None:
    """Decorator < file < environment < override by an administrator."""
    file = tmp_path / "config.toml"
    file.write_text("[jobs.house.tick]\ntimeout = '7s'\nretries = 1\nschedule = 'every 60s'\n")
    console = Console({**sexton.environment, "SEXTON_JOBS__HOUSE__TICK__RETRIES": "2"}, sexton.capture, sexton.patch)
    await reschedule_job(ledger, Actor("ann"), house.jobs["house.tick"], "every 90s")
    tick = by_name((await console.beside("jobs", "--json", "--config", file)).ok().json)["house.tick"]
    assert (tick["schedule"], tick["timeout_s"]) == ("every 90s", 7)
    assert {key: tick["origins"][key] for key in ("schedule", "timeout", "retries", "priority")} == {
        "schedule": "override",
        "timeout": "file",
        "retries": "environment",
        "priority": "decorator",
    }


async def test_the_last_run_is_told(sexton: Console, ledger: asyncpg.Connection) -> None:
    due = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
    await ledger.execute(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, not_before, started_at, finished_at) "
        "VALUES ('house.nightly', $1, $2, 'schedule', 'failed', $1, $1, $1::timestamptz + interval '1500 ms')",
        due, due.date(),
    )  # fmt: skip
    jobs = by_name((await sexton.beside("jobs", "--json")).ok().json)
    assert jobs["house.nightly"]["last"] == {
        "due_at": "2026-11-22T02:30:00+01:00",
        "state": "failed",
        "duration_s": 1.5,
    }


async def test_the_last_run_is_the_one_that_started_last(sexton: Console, ledger: asyncpg.Connection) -> None:
    """A run by hand for a day of long ago is what somebody looks for; one that never started is not."""
    today = datetime(2026, 11, 22, 5, tzinfo=UTC)
    for due, started, state in (
        (today, today, "succeeded"),
        (today - timedelta(days=900), today + timedelta(hours=1), "failed"),
        (today + timedelta(hours=1), None, "cancelled"),
    ):
        await ledger.execute(
            "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, reason, not_before, started_at, "
            "finished_at) VALUES ('house.slow', $1, $4, 'manual', $3, 'by ann', $1, $2, "
            "$1::timestamptz + interval '2 hours')",
            due, started, state, due.date(),
        )  # fmt: skip
    last = by_name((await sexton.beside("jobs", "--json")).ok().json)["house.slow"]["last"]
    assert (last["due_at"], last["state"]) == ("2024-06-05T05:00:00+00:00", "failed")


async def test_the_table_shows_words_times_and_pauses(sexton: Console, ledger: asyncpg.Connection) -> None:
    await pause_job(ledger, Actor("bob"), "house.report")
    console = Console(
        {**sexton.environment, "SEXTON_JOBS__HOUSE__TICK__ENABLED": "false"}, sexton.capture, sexton.patch
    )
    out = (await console.beside("jobs")).ok().out
    table = {line.split()[0]: line for line in out.splitlines()}
    assert out.splitlines()[0].split() == ["job", "schedule", "next", "last", "state"]
    assert "every day at 02:30 (Europe/Zurich)" in table["house.nightly"]
    assert table["house.report"].endswith("paused by bob")
    assert table["house.tick"].endswith("disabled")
    assert "polls every 30 seconds, woken by house.todo" in table["house.drain"]
    assert "\x1b" not in out


def test_without_a_database_the_configuration_is_shown_with_a_warning(bare: Console) -> None:
    done = bare("jobs", "--json").ok()
    assert all(job["last"] is None for job in done.json)
    assert done.err.startswith("warning: last runs, overrides and pauses are not known: there is no database in ")
    assert len(done.err.splitlines()) == 1


def test_a_database_that_will_not_have_us_is_a_warning_too(bare: Console, server: str) -> None:
    nowhere = Console(
        {**bare.environment, "SEXTON_DATABASE__URL": on_database(server, "no_such_house")}, bare.capture, bare.patch
    )
    assert 'not known: database "no_such_house" does not exist' in nowhere("jobs", "--json").ok().err


def test_a_database_that_does_not_answer_is_a_warning_too(bare: Console) -> None:
    away = Console(
        {**bare.environment, "SEXTON_DATABASE__URL": "postgresql://x:secret@127.0.0.1:9/x"}, bare.capture, bare.patch
    )
    done = away("jobs", "--json").ok()
    assert "the database does not answer" in done.err
    assert "secret" not in done.err
