"""The analyses over HTTP, from a real node: what was mailed, what the days come to, and what makes no sense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg

from tests.daemon.admin.house import house
from tests.workers.tutoring.school import School
from workers.tutoring.usage_analysis import usage_analysis

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PACKAGES = {"tutoring": "workers.tutoring"}
CALLS = (
    "INSERT INTO tutoring.api_usage (provider_id, at, input_tokens, output_tokens, latency_ms, status) "
    "SELECT $1, $2::timestamptz + n * interval '1 second', 100, 50, 200, CASE WHEN n = 1 THEN 500 ELSE 200 END "
    "FROM generate_series(1, $3::int) n"
)


async def test_the_days_the_anomalies_and_what_each_provider_did(url: str, connection: asyncpg.Connection) -> None:
    school = School(url, connection)
    for back in range(3):
        await connection.execute(CALLS, 1, NOON - timedelta(days=back), 10 + back)
        await school.succeed(usage_analysis, NOON + timedelta(days=1 - back))
    async with house(url, packages=PACKAGES) as h:
        stats = (await h.viewer.get("/api/v1/usage-analysis", params={"days": 2})).raise_for_status().json()
        assert [(report["day"], report["requests"]) for report in stats["reports"]] == [
            ("2026-11-24", 10), ("2026-11-23", 11),
        ]  # fmt: skip
        assert stats["anomalies"] == []
        assert stats["providers"] == [
            {"provider": "openai", "requests": 21, "errors": 2, "error_pct": "9.5", "input_tokens": 2100,
             "output_tokens": 1050, "cost": None, "days_without_a_price": 2},
        ]  # fmt: skip
        report = (await h.viewer.get("/api/v1/usage-reports/2026-11-22")).raise_for_status().json()
        assert (report["day"], report["total"]["requests"]) == ("2026-11-22", 12)


async def test_before_the_first_report_there_is_nothing_to_tell(url: str) -> None:
    async with house(url, packages=PACKAGES) as h:
        empty = (await h.viewer.get("/api/v1/usage-analysis")).raise_for_status().json()
        assert empty == {"reports": [], "anomalies": [], "providers": []}
        missing = await h.viewer.get("/api/v1/usage-reports/2026-11-24")
        assert (missing.status_code, missing.json()["detail"]) == (404, "there is no usage report of 2026-11-24")
        for path in ("usage-reports/yesterday", "usage-analysis?days=0", "usage-analysis?days=367"):
            assert (await h.viewer.get(f"/api/v1/{path}")).status_code == 422
        assert (await h.client(None).get("/api/v1/usage-analysis")).status_code == 401
