"""How the suite's work goes: of a ledger written by hand, judged by the same hour of the days before."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.workers.productivity.platform import Platform, at
from workers.productivity.performance_metrics import performance_metrics

HOUR = at("2026-11-26T12:00")


async def ran(platform: Platform, due: datetime, state: str, seconds: float = 1, job: str = "daily_check") -> None:
    await platform.connection.execute(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, reason, not_before, "
        "started_at, finished_at) VALUES ($1, $2, $2::timestamptz::date, 'schedule', $3, 'why', $2, $2, "
        "$2::timestamptz + $4::float8 * interval '1 second')",
        f"productivity.{job}", due, state, seconds,
    )  # fmt: skip


async def test_jobs_are_measured_over_thirty_days(platform: Platform) -> None:
    for n in range(1, 10):
        await ran(platform, HOUR - timedelta(hours=n), "failed" if n == 5 else "succeeded", n)
    await ran(platform, HOUR - timedelta(hours=10), "missed")
    await ran(platform, HOUR - timedelta(days=31), "failed")
    samples = (await platform.run(performance_metrics, HOUR))["samples"]
    assert (samples["success_rate/daily_check"], samples["missed/daily_check"]) == (0.8889, 1)
    assert (samples["p95_seconds/daily_check"], samples["hours_since_success/daily_check"]) == (8.65, 0.9997)
    assert samples["database_ms"] > 0


async def test_what_waits_is_told_by_its_age(platform: Platform) -> None:
    await platform.connection.execute(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, not_before) "
        "VALUES ('productivity.weekly_review', $1, '2026-11-26', 'schedule', 'ready', $1)",
        HOUR - timedelta(minutes=2),
    )  # fmt: skip
    await platform.connection.execute(
        "INSERT INTO sexton.outbox (suite, address, template, dedupe_key, not_before) "
        "VALUES ('productivity', 'a@example.org', 't', 'k', $1)", HOUR - timedelta(minutes=5))  # fmt: skip
    samples = (await platform.run(performance_metrics, HOUR))["samples"]
    assert (samples["due_runs_waited_seconds"], samples["messages_waited_seconds"]) == (120, 300)


async def test_an_empty_platform_has_the_databases_answer_and_nothing_that_waits(platform: Platform) -> None:
    samples = (await platform.run(performance_metrics, HOUR))["samples"]
    assert {name: value for name, value in samples.items() if name != "database_ms"} == {
        "due_runs_waited_seconds": 0, "messages_waited_seconds": 0,
    }  # fmt: skip


async def test_an_hour_unlike_the_same_hour_of_fourteen_days_is_unusual_until_measured_anew(platform: Platform) -> None:
    waited = "messages_waited_seconds"
    await platform.connection.executemany(
        "INSERT INTO productivity.perf_sample VALUES ($1, $2, $3)",
        [(HOUR - timedelta(hours=n), waited, 10 + n % 5 if n % 24 == 0 else 9999) for n in range(1, 14 * 24 + 1)],
    )
    await platform.connection.execute(
        "INSERT INTO sexton.outbox (suite, address, template, dedupe_key, not_before) "
        "VALUES ('productivity', 'a@example.org', 't', 'k', $1)", HOUR - timedelta(hours=2))  # fmt: skip
    assert (await platform.run(performance_metrics, HOUR))["unusual"] == [waited]
    assert await platform.rows("SELECT metric, at, dims, value, baseline, direction FROM productivity.anomaly") == [
        (waited, HOUR, '{"period": "hour"}', 7200, 12, "high")
    ]
    await platform.connection.execute("UPDATE sexton.outbox SET not_before = $1", HOUR - timedelta(seconds=12))
    assert (await platform.run(performance_metrics, HOUR))["unusual"] == []
    assert await platform.rows("SELECT * FROM productivity.anomaly") == []
