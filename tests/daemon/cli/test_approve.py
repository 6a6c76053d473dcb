"""`sexton approve`, and commands where a second person has to agree."""

from __future__ import annotations

import asyncpg
import pytest

from tests.daemon.cli.console import Console

KEYS = ["id", "action", "job", "payload", "asked_by", "reason", "asked_at", "expires_at"]


@pytest.fixture
def careful(sexton: Console) -> Console:
    return Console({**sexton.environment, "SEXTON_ADMIN__TWO_PERSON": "true"}, sexton.capture, sexton.patch)


@pytest.fixture
async def failed(ledger: asyncpg.Connection) -> int:
    """A failed run of a job that this configuration does not know, and which therefore counts as sensitive."""
    run: int = await ledger.fetchval(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, not_before) "
        "VALUES ('house.gone', '2026-11-22', '2026-11-22', 'schedule', 'failed', '2026-11-22') RETURNING id"
    )
    return run


def test_a_command_asks_and_somebody_else_agrees(careful: Console, failed: int) -> None:
    asked = careful("retry", failed, "--reason", "mended").ok()
    number = asked.out.split()[1]
    assert asked.out == f"approval {number}\n"
    assert f"sexton approve {number}" in asked.err
    (waiting,) = careful("approve", "--json").ok().json
    assert list(waiting) == KEYS
    assert (waiting["asked_by"], waiting["payload"]) == ("ann", {"runs": [failed]})
    assert "house.gone" in careful("approve").ok().out
    alone = careful("approve", number)
    assert (alone.status, "you asked for it" in alone.err) == (1, True)
    done = careful("approve", number, "--by", "bob").ok()
    assert done.out == f"approval {number} (house.gone) is approved: run {failed}\n"
    assert careful("approve").ok().err == "nothing waits for a second person\n"


def test_what_was_asked_for_is_taken_back(careful: Console, failed: int) -> None:
    number = careful("retry", failed, "--reason", "mended").ok().out.split()[1]
    assert "is refused" in careful("approve", number, "--refuse").ok().out
    assert careful("approve", number, "--by", "bob").status == 1


def test_without_two_persons_nobody_is_asked(sexton: Console, failed: int) -> None:
    assert "failed → ready" in sexton("retry", failed, "--reason", "mended").ok().out


def test_refusing_needs_a_number(sexton: Console) -> None:
    assert sexton("approve", "--refuse").err == "error: --refuse: say which approval\n"
