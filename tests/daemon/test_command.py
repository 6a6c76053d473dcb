"""Programs that jobs run: their output comes back, their failures are told, their processes end."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from daemon.command import OUTPUT_LIMIT, CommandError, run_command
from daemon.embedded_process import wait_exit

SOON = timedelta(seconds=20)


async def test_output_comes_back() -> None:
    finished = await run_command(["sh", "-c", "echo out; echo err >&2"], timeout=SOON)
    assert (finished.stdout, finished.stderr) == (b"out\n", "err\n")


async def test_a_failure_carries_its_status_and_last_words() -> None:
    with pytest.raises(CommandError, match="sh ended with status 3: disk full"):
        await run_command(["sh", "-c", "echo disk full >&2; exit 3"], timeout=SOON)


async def test_a_program_past_its_deadline_is_killed_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $! > {pids}; echo $$ >> {pids}; wait"
    with pytest.raises(TimeoutError):
        await run_command(["sh", "-c", script], timeout=timedelta(seconds=0.5))
    for pid in pids.read_text().split():
        assert await wait_exit(int(pid), SOON.total_seconds())


async def test_more_output_than_is_kept_does_not_block_the_program() -> None:
    script = f"import sys; sys.stdout.write('x' * {OUTPUT_LIMIT * 2})"
    finished = await run_command([sys.executable, "-c", script], timeout=SOON)
    assert len(finished.stdout) == OUTPUT_LIMIT


async def test_the_daemons_secrets_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEXTON_DATABASE__URL", "SMTP_PASS", "JWT_SECRET", "NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("LANG", "C.UTF-8")
    finished = await run_command(["env"], timeout=SOON, environment={"PGPASSWORD": "given"})
    assert b"hunter2" not in finished.stdout
    assert {b"LANG=C.UTF-8", b"PGPASSWORD=given"} <= set(finished.stdout.splitlines())


async def test_an_unknown_program_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        await run_command(["no-such-program"], timeout=SOON)
