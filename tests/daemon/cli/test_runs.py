"""`sexton runs`: what ran, the newest first."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import pytest

from tests.daemon.cli.console import Console

AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
KEYS = [
    "id", "job", "due_at", "trigger", "state", "reason", "attempt", "started_at", "finished_at", "result", "error",
]  # fmt: skip


@pytest.fixture
async def history(ledger: asyncpg.Connection) -> list[int]:
    """Three runs of nightly: succeeded, failed, skipped; one of a job that is in no suite any more."""
    rows = await ledger.fetch(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, reason, attempt, not_before, started_at, "
        "  finished_at, result, error) "
        "SELECT job, $1::timestamptz + n * interval '1 day', '2026-11-22', 'schedule', state, reason, attempt, $1, "
        "  began, began + interval '2 minutes 5 seconds', result::jsonb, error "
        "FROM (VALUES "
        "  ('house.nightly', 0, 'succeeded', NULL, 1, $1::timestamptz, '{\"paid\": \"12.50\"}', NULL), "
        "  ('house.nightly', 1, 'failed', NULL, 4, $1, NULL, 'ValueError: no money'), "
        "  ('house.nightly', 2, 'skipped', 'overlap with run 1', 0, NULL, NULL, NULL), "
        "  ('house.gone', 3, 'succeeded', NULL, 1, $1, NULL, NULL)"
        ") AS v (job, n, state, reason, attempt, began, result, error) RETURNING id",
        AT,
    )
    return [row["id"] for row in rows]


def test_the_json_form_is_an_interface(sexton: Console, history: list[int]) -> None:
    runs = sexton("runs", "--json").ok().json
    assert [run["id"] for run in runs] == history[::-1]
    assert all(list(run) == KEYS for run in runs)
    assert runs[-1] == {
        "id": history[0],
        "job": "house.nightly",
        "due_at": "2026-11-22T01:30:00+00:00",
        "trigger": "schedule",
        "state": "succeeded",
        "reason": None,
        "attempt": 1,
        "started_at": "2026-11-22T01:30:00+00:00",
        "finished_at": "2026-11-22T01:32:05+00:00",
        "result": {"paid": "12.50"},
        "error": None,
    }


def test_runs_are_chosen_by_job_alias_state_and_number(sexton: Console, history: list[int]) -> None:
    def chosen(*arguments: object) -> list[int]:
        return [run["id"] for run in sexton("runs", *arguments, "--json").ok().json]

    assert chosen("close-books") == history[2::-1]
    assert chosen("house.nightly", "--limit", "2") == history[2:0:-1]
    assert chosen("--state", "succeeded") == [history[3], history[0]]
    assert chosen("close-books", "--state", "failed") == [history[1]]
    assert chosen("--state", "held") == []


def test_a_job_that_is_in_no_suite_any_more_keeps_its_history(sexton: Console, history: list[int]) -> None:
    assert [run["id"] for run in sexton("runs", "house.gone", "--json").ok().json] == [history[3]]
    done = sexton("runs", "house.gon")
    assert done.status == 2
    assert "error: there is no job 'house.gon'" in done.err


async def test_a_retry_says_which_dependencies_it_does_not_wait_for(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    run = await ledger.fetchval(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, reason, not_before) "
        "VALUES ('house.report', $1, '2026-11-22', 'schedule', 'skipped', 'a test', $1) RETURNING id", AT,
    )  # fmt: skip
    done = (await sexton.process("retry", run)).ok()
    assert "skipped → ready" in done.out
    assert done.err.splitlines() == [
        f"run {run} does not wait, because a person asked for it: house.nightly has not run for 2026-11-22"
    ]


def test_people_see_one_line_a_run_with_the_reason(sexton: Console, history: list[int]) -> None:
    out = sexton("runs").ok().out.splitlines()
    assert out[0].split() == ["run", "job", "due", "(UTC)", "trigger", "state", "try", "took", "why"]
    assert out[3].split() == [
        str(history[1]), "house.nightly", "2026-11-23", "01:30:00", "schedule", "failed", "4", "2", "min", "5", "s",
        "ValueError:", "no", "money",
    ]  # fmt: skip
    assert out[2].split()[6:] == ["0", "–", "overlap", "with", "run", "1"]


def test_nothing_found_is_told_and_fine(sexton: Console) -> None:
    done = sexton("runs").ok()
    assert (done.out, done.err) == ("", "no such runs\n")
    assert sexton("runs", "--json").ok().json == []


def test_without_a_database_the_remedy_is_named(bare: Console) -> None:
    done = bare("runs")
    assert done.status == 1
    assert "there is no database in" in done.err
    assert "`sexton run` or `sexton migrate` creates it" in done.err


@pytest.fixture
async def emptied(ledger: asyncpg.Connection) -> None:
    await ledger.execute("DROP SCHEMA sexton CASCADE")


@pytest.mark.parametrize("command", ["runs", "pause house.tick", "release 1", "retry 1", "waive 1", "cancel 1"])
def test_an_empty_database_is_told_to_be_migrated(sexton: Console, emptied: None, command: str) -> None:
    done = sexton(*command.split())
    assert done.status == 1
    assert "run: sexton migrate" in done.err
    assert len(done.err.splitlines()) == 1
