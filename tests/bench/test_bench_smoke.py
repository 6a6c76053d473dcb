"""Each bench runs, tiny, and says sane things. No figure here is a promise: the bounds are ten times the bench's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TEN_TIMES = 10


def bench(name: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench", name, "--quick", "--results", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"== {name} ==" in done.stdout
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    assert found["bench"] == name
    assert found["machine"].keys() >= {"cores", "cpu", "python", "postgresql"}
    assert found["tables"]
    assert found["targets"]
    return found


def target(found: dict[str, Any], part: str) -> float:
    (value,) = [t["value"] for t in found["targets"] if part in t["name"]]
    return float(value)


def test_ingest_writes_what_the_limit_writes(tmp_path: Path) -> None:
    found = bench("ingest", tmp_path)
    figures = found["figures"]
    assert figures["flights"] == 62
    assert 0 < figures["records"] <= figures["charges"]
    assert target(found, "of the limit") > 0.5 / TEN_TIMES
    assert target(found, "over every vertex") > 20 / TEN_TIMES


def test_queue_leaves_nothing_behind(tmp_path: Path) -> None:
    found = bench("queue", tmp_path)
    assert found["figures"]["items"] == 200
    assert target(found, "throughput") > 0.4 / TEN_TIMES
    assert target(found, "pick-up latency") > 0


def test_lateness_loses_no_instant(tmp_path: Path) -> None:
    found = bench("lateness", tmp_path)
    assert target(found, "steady: instants lost") == 0
    assert target(found, "burst: instants lost") == 0
    assert target(found, "steady: p99") > 0
    for load in found["figures"]["loads"].values():
        assert all(0 <= r["p50"] <= r["p99"] <= r["worst"] for rounds in load.values() for r in rounds)


def test_payout_leaves_what_one_statement_and_a_loop_leave(tmp_path: Path) -> None:
    """The bench itself compares every row of the three."""
    found = bench("payout", tmp_path)
    figures = found["figures"]
    paid = figures["daemon"][0]["result"]
    assert figures["effects"]["distributions"] == paid["investments"] == figures["statement"][0]["paid"] > 1900
    assert figures["effects"]["commissions"] == paid["commissions"] > 0
    assert figures["effects"]["messages"] == paid["notified"] > 0
    assert 0 < target(found, "times the bare statement") < 1.3 * TEN_TIMES
    assert target(found, "a commit each") > 20 / TEN_TIMES
    assert 10 < target(found, "MB resident") < 150 * TEN_TIMES
    assert target(found, "loop's lag") >= 0


def test_outbox_sends_each_mail_once(tmp_path: Path) -> None:
    found = bench("outbox", tmp_path)
    (ours,), (bare,) = found["figures"]["ours"], found["figures"]["bare"]
    assert ours["server"]["mails"] == ours["server"]["distinct"] == bare["server"]["mails"] == 200
    assert ours["attempts"] == 1
    assert target(found, "of the bare loop") > 0.5 / TEN_TIMES


def test_payments_are_settled_at_the_limit_and_every_call_is_kept(tmp_path: Path) -> None:
    found = bench("payments", tmp_path)
    assert (found["figures"]["payments"], found["figures"]["calls"]) == (200, 100)
    assert target(found, "of the provider's limit") > 0.95 / TEN_TIMES
    assert target(found, "webhook: p99, ms") > 0
    assert target(found, "that were not kept") == 0
    assert target(found, "worked after") > 0


def test_locks_are_deleted_beside_checkouts_that_go_on(tmp_path: Path) -> None:
    found = bench("locks", tmp_path)
    (job,), (bare,) = found["figures"]["rounds"]["the job"], found["figures"]["rounds"]["one bare statement"]
    assert found["figures"]["rows"] == 5_000
    assert min(job["checkouts"], bare["checkouts"]) > 0
    assert job["left"] <= 40
    assert target(found, "wait of a checkout") >= 0


def test_the_tutoring_suites_jobs_leave_what_bare_statements_leave(tmp_path: Path) -> None:
    """The bench itself compares every row."""
    found = bench("tutoring", tmp_path)
    assert found["figures"]["effects"] == {
        "archive_conversations": 1000, "daily_memory_cleanup": 200, "monthly_quota_reset": 400, "profile_refresh": 200,
        "usage_analysis": 6, "weekly_summary_generation": 100,
    }  # fmt: skip
    assert all(seconds > 0 for rounds in found["figures"]["ours"].values() for seconds in rounds)


def test_reminders_leave_what_bare_statements_leave(tmp_path: Path) -> None:
    """The bench itself compares every mail."""
    found = bench("reminders", tmp_path)
    assert found["figures"]["people"] == 500
    assert found["figures"]["effects"].keys() == {
        "goal_deadlines", "inactive_users", "daily_check", "monthly_report", "weekly_review", "break_reminders", "log",
    }  # fmt: skip
    ours = found["figures"]["ours"]
    assert all(ours[name][0]["result"]["sent"] > 0 for name in ("daily_check", "weekly_review", "monthly_report"))
    assert ours["goal_deadlines, the tick after"][0]["result"]["sent"] == 0
    assert target(found, "daily_check, times") > 0


def test_daily_analytics_leave_what_bare_statements_leave(tmp_path: Path) -> None:
    """The bench itself compares every row."""
    found = bench("analytics", tmp_path)
    assert found["figures"]["people"] == 500
    assert found["figures"]["effects"].keys() == {"activity", "figures", "retention"}
    assert found["figures"]["effects"]["figures"] == 24
    assert target(found, "times the bare statements") > 0
    assert target(found, "lag") >= 0


def test_idle_is_cheap_and_quick_to_start_and_stop(tmp_path: Path) -> None:
    found = bench("idle", tmp_path)
    assert found["figures"]["jobs"] == 45
    assert target(found, "CPU") > 0
    assert 10 < target(found, "MB resident") < 90 * TEN_TIMES
    assert target(found, "start to READY") > 0
    assert target(found, "SIGTERM") > 0


@pytest.mark.parametrize("arguments", [["--help"], ["nonsense"]])
def test_the_command_line_explains_itself(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == (0 if arguments == ["--help"] else 2)
    assert all(
        name in done.stdout + done.stderr
        for name in (
            "ingest",
            "queue",
            "lateness",
            "payout",
            "outbox",
            "payments",
            "locks",
            "tutoring",
            "analytics",
            "idle",
        )
    )
