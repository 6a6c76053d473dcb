"""Reports of the dashboard: use by provider with what was unusual, limits, failovers, backups."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from daemon.report import Report
from tests.workers.reported import cells, reported
from tests.workers.tutoring.providers import Providers
from tests.workers.tutoring.school import School
from workers.tutoring import reports
from workers.tutoring.anomalies import judged
from workers.tutoring.usage_analysis import usage_analysis

DAY = date(2026, 11, 24)  # a Tuesday
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ONE_DAY = timedelta(days=1)


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    return School(url, connection)


async def told(school: School, report: Report, first: date = DAY, last: date = DAY) -> list[dict[str, Any]]:
    return await reported(school.connection, "tutoring", report, first, last)


async def used(school: School, provider: int, times: int, back: int) -> None:
    await school.connection.execute(
        "INSERT INTO tutoring.api_usage (provider_id, at, input_tokens, output_tokens, latency_ms, status) "
        "SELECT $1, $2::timestamptz + n * interval '1 s', 100, 50, 200, CASE WHEN n % 10 = 0 THEN 500 ELSE 200 END "
        "FROM generate_series(1, $3::int) n",
        provider, NOON - back * ONE_DAY, times,
    )  # fmt: skip


async def test_a_day_of_much_use_is_marked_with_the_usual_range(school: School) -> None:
    first = await school.value("SELECT min(id) FROM tutoring.ai_provider")
    history = []
    for back in range(20, 0, -1):
        times = 20 + back % 4
        await used(school, first, times, back)
        if (DAY - back * ONE_DAY).isoweekday() < 6:
            history.append(times)
    await used(school, first, 90, 0)
    await school.succeed(usage_analysis, NOON + timedelta(hours=13))
    (today, yesterday) = await told(school, reports.usage, DAY - ONE_DAY, DAY)
    assert (today["requests"], today["errors"], today["direction"]) == (90, 9, "high")
    assert cells(reports.usage, today, "error_share", "p50_ms") == ["0.1000", "200"]
    assert (yesterday["requests"], yesterday["direction"], yesterday["usual_low"]) == (21, None, None)
    last = history[-14:]
    just_within, beyond = judged(float(today["usual_high"]) - 1, last), judged(float(today["usual_high"]) + 1, last)
    assert just_within is not None
    assert beyond is not None
    assert (just_within.unusual, beyond.unusual) == (False, True)
    figures = await told(school, reports.unusual)
    assert {("requests", "high"), ("tokens", "high")} <= {(row["metric"], row["direction"]) for row in figures}
    (tokens,) = await told(school, reports.tokens)
    assert (tokens["tokens"], tokens["input_tokens"], tokens["cost"]) == (13_500, 9000, None)  # no price is not nothing


async def test_limits_are_as_full_as_was_said_and_silent_after_their_reset(school: School) -> None:
    providers = Providers(school)
    now = await school.value("SELECT sexton.clock()")
    await providers.uses("openai", 96, now, until=now + timedelta(hours=1))
    await providers.monitor(now)
    shown = {(row["provider"], row["dim"]): row for row in await told(school, reports.limits)}
    openai = shown["openai", "requests"]
    assert cells(reports.limits, openai, "used", "state") == ["0.9600", "failover"]
    assert openai["remaining"] == openai["limit_n"] * 4 // 100
    assert shown["groq", "nothing known"]["used"] is None
    (left,) = await told(school, reports.failovers, now.date(), now.date())
    assert (left["provider"], left["to_state"], left["usage"]) == ("openai", "failover", openai["used"])
    assert left["reason"]
    await school.connection.execute("UPDATE tutoring.rate_limit_state SET reset_at = sexton.clock()")
    assert {row["dim"] for row in await told(school, reports.limits)} == {"nothing known"}


async def test_a_backup_shows_its_size_how_long_it_took_and_when_it_was_proven(school: School) -> None:
    due = datetime(2026, 11, 24, 3, tzinfo=UTC)
    result = (
        '{"name": "20261124T030000Z", "bytes": 1234567, "tables": 171, "rows": 42, '
        '"verified_at": "2026-11-24T03:05:00+00:00", "pruned": ["a", "b"]}'
    )
    for day, state, error in ((0, "succeeded", None), (1, "failed", "DirectoryUnusable: no space left")):
        await school.connection.execute(
            "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, not_before, started_at, finished_at, "
            "result, error) VALUES ('tutoring.automated_backup', $1, $1::timestamptz::date, 'schedule', $2, $1, $1, "
            "$1::timestamptz + interval '330 seconds', $3, $4)",
            due - day * ONE_DAY, state, None if error else result, error,
        )  # fmt: skip
    good, bad = await told(school, reports.backups, DAY - ONE_DAY, DAY)
    names = ("name", "size", "took", "verified_at", "pruned", "error")
    assert cells(reports.backups, good, *names) == [
        "20261124T030000Z", "1234567", "330.000000", "2026-11-24T03:05:00+00:00", "2", "",
    ]  # fmt: skip
    assert cells(reports.backups, bad, "state", "size", "error") == ["failed", "", "DirectoryUnusable: no space left"]
