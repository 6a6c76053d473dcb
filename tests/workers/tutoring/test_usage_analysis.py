"""The daily report of a small platform whose figures were worked out by hand; usage records as bad as they come."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from tests.workers.tutoring.school import School
from workers.tutoring.usage_analysis import usage_analysis

DAY = date(2026, 11, 24)  # a Tuesday
OPENAI, GROQ = 101, 102


def at(day: date, hour: float = 12) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(hours=hour)


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    school = School(url, connection)
    await connection.execute("UPDATE tutoring.ai_provider SET enabled = false")
    for id_, name, order in ((OPENAI, "swift", 11), (GROQ, "spare", 12)):
        await school.insert("ai_provider", id=id_, name=name, base_url="http://127.0.0.1:9", kind="openai",
                            chain_order=order)  # fmt: skip
    return school


async def used(school: School, provider: int | None, when: datetime, *, times: int = 1, **more: Any) -> None:
    """So many requests, a second apart."""
    usual = {"input_tokens": 100, "output_tokens": 50, "latency_ms": 200, "status": 200, "error": None}
    values = {**usual, "request_id": None, **more}
    await school.connection.execute(
        "INSERT INTO tutoring.api_usage (provider_id, at, input_tokens, output_tokens, latency_ms, status, error, "
        "request_id) "
        "SELECT $1, $2::timestamptz + n * interval '1 second', $3, $4, $5, $6, $7, $8 "
        "FROM generate_series(0, $9::int - 1) n",
        provider, when, *values.values(), times,
    )  # fmt: skip


async def report(school: School, day: date = DAY, hour: int = 1) -> dict[str, Any]:
    """Of the run of the next day at that hour."""
    result = await school.succeed(usage_analysis, at(day, 24 + hour))
    found: dict[str, Any] = result["report"]
    return found


async def lines(school: School) -> dict[str, dict[str, Any]]:
    return {use["provider"]: use for use in (await report(school))["providers"]}


async def test_an_empty_platform_has_a_report_of_nothing(school: School) -> None:
    found = await report(school)
    assert found["total"] == {
        "requests": 0, "errors": 0, "error_pct": None, "input_tokens": 0, "output_tokens": 0, "cost": "0",
        "cost_is_complete": True,
    }  # fmt: skip
    assert (found["anomalies"], found["recommendations"]) == ([], [])
    assert [use["requests"] for use in found["providers"]] == [0, 0]
    subject, text, html = (await school.texts())[0]
    assert subject == "AI usage of 2026-11-24: 0 requests"
    assert "Nothing to recommend." in text
    assert html is not None
    assert "<img" not in html


async def test_the_day_is_what_was_worked_out_by_hand(school: School) -> None:
    await school.insert("ai_price", provider_id=OPENAI, since=date(2026, 1, 1), input_price=Decimal("2.5"),
                        output_price=Decimal(10))  # fmt: skip
    await school.insert("ai_price", provider_id=OPENAI, since=date(2026, 11, 25), input_price=99, output_price=99)
    for n in range(100):
        await used(school, OPENAI, at(DAY, n / 10), latency_ms=10 * (n + 1))
    await used(school, OPENAI, at(DAY, 23), status=500, times=2, latency_ms=1000)
    await used(school, OPENAI, at(DAY, 23.5), status=200, error="cut off", latency_ms=1000)
    await used(school, OPENAI, at(DAY, 24))  # the next day
    await used(school, GROQ, at(DAY, 0), times=3)
    await used(school, GROQ, at(DAY, 0) - timedelta(microseconds=1))  # the day before
    found = await lines(school)
    assert found["swift"] == {
        "provider": "swift", "requests": 103, "share_pct": "97.2", "errors": 3, "error_pct": "2.9",
        "input_tokens": 10_300, "output_tokens": 5150, "p50_ms": 520, "p95_ms": 980, "cost": "0.0773",
    }  # fmt: skip
    assert found["spare"] | {"cost": None} == {
        "provider": "spare", "requests": 3, "share_pct": "2.8", "errors": 0, "error_pct": "0.0",
        "input_tokens": 300, "output_tokens": 150, "p50_ms": 200, "p95_ms": 200, "cost": None,
    }  # fmt: skip


async def test_nulls_and_duplicates_are_told_and_counted_as_what_they_are(school: School) -> None:
    await used(school, OPENAI, at(DAY, 1), times=10)
    await used(school, OPENAI, at(DAY, 1), times=10)  # the same again
    await used(school, None, at(DAY, 2), times=4)
    await used(school, OPENAI, at(DAY, 3), input_tokens=None, output_tokens=None, latency_ms=None)
    await used(school, OPENAI, at(DAY, 4), input_tokens=-5, latency_ms=-1)
    await used(school, OPENAI, at(DAY, 5), status=None)
    found = await report(school)
    assert found["recorded"] == {
        "rows": 27, "duplicates": 10, "without_provider": 4, "without_tokens": 2, "without_latency": 2,
    }  # fmt: skip
    (line,) = [use for use in found["providers"] if use["provider"] == "swift"]
    assert (line["requests"], line["errors"], line["input_tokens"], line["output_tokens"]) == (13, 1, 1100, 600)
    assert (line["p50_ms"], line["p95_ms"]) == (200, 200)
    assert {"duplicates", "without_provider", "unpriced"} <= {a["code"] for a in found["recommendations"]}


async def test_tokens_that_nobody_can_have_used_are_not_known_and_fail_nothing(school: School) -> None:
    for request in (None, "a", "b"):
        await used(school, OPENAI, at(DAY, 1), input_tokens=2**63 - 1, output_tokens=2**63 - 1, request_id=request)
    await used(school, OPENAI, at(DAY, 2))
    found = await report(school)
    assert found["recorded"]["without_tokens"] == 3
    assert (found["total"]["requests"], found["total"]["input_tokens"], found["total"]["output_tokens"]) == (4, 100, 50)


async def test_an_unusual_day_is_told_against_days_of_its_kind(school: School) -> None:
    """Weekends are quiet here, which makes neither them nor the days after them unusual."""
    for back in range(45):
        day = DAY - timedelta(days=back)
        quiet = day.isoweekday() >= 6
        if back in (20, 21):
            continue  # a gap: nothing was recorded, by anybody
        await used(school, OPENAI, at(day, 9), times=(20 if quiet else 200) + back % 3)
        await used(school, OPENAI, at(day, 15), times=2 + back % 2, status=503)
    await used(school, OPENAI, at(DAY, 18), times=60, status=503)
    found = await report(school)
    assert {(a["provider"], a["metric"], a["direction"]) for a in found["anomalies"]} == {
        ("swift", "errors", "high"), ("swift", "requests", "high"),
        ("swift", "tokens", "high"),
    }  # fmt: skip
    assert all(a["score"] > 3.5 and a["baseline"] < a["value"] for a in found["anomalies"])
    assert found["compared_with_days"]["swift"] == 14
    assert [day["requests"] for day in found["trend"]][-1] == 262
    saturday = await report(school, DAY - timedelta(days=3))
    assert saturday["anomalies"] == []


async def test_with_seven_days_before_nothing_is_judged_yet(school: School) -> None:
    for back in range(1, 12):  # seven of them are not on a weekend
        await used(school, OPENAI, at(DAY - timedelta(days=back)), times=10)
    await used(school, OPENAI, at(DAY), times=10_000)
    assert (await report(school))["anomalies"] == []
    await used(school, OPENAI, at(DAY - timedelta(days=12)), times=10)
    assert (await report(school, hour=2))["compared_with_days"]["swift"] == 8


async def test_a_day_on_which_nothing_was_recorded_is_a_gap_and_no_zero(school: School) -> None:
    for back in (0, 1, 5):  # nothing on the Friday between
        await used(school, OPENAI, at(DAY - timedelta(days=back)))
    assert (await report(school))["compared_with_days"]["swift"] == 2
    assert await school.value("SELECT count(*) FROM tutoring.usage_day WHERE rows = 0") == 3


async def test_a_run_again_replaces_the_report_and_mails_nobody_twice(school: School) -> None:
    await report(school)
    await used(school, OPENAI, at(DAY), times=5)  # late
    await school.succeed(usage_analysis, at(DAY, 26))
    ((payload,),) = await school.rows("SELECT payload FROM tutoring.usage_report")
    assert json.loads(payload)["total"]["requests"] == 5
    keys = [row["dedupe_key"] for row in await school.messages()]
    assert keys == [f"tutoring:usage_report:2026-11-24:{name}@example.org" for name in ("ada", "bob")]


async def test_a_retry_does_not_sum_up_again_what_was_committed(school: School) -> None:
    for back in range(3):
        await used(school, OPENAI, at(DAY - timedelta(days=back)), times=5)
    await school.connection.execute(f"ALTER TABLE tutoring.usage_day ADD CONSTRAINT mine CHECK (day <> '{DAY}')")
    first = await school.perform(usage_analysis, at(DAY, 25))
    assert (first.ending, await school.count("usage_day")) == ("failed", 2)
    summed = await school.rows("SELECT day, summed_up_at FROM tutoring.usage_day ORDER BY 1")
    await school.connection.execute("ALTER TABLE tutoring.usage_day DROP CONSTRAINT mine")
    result = await school.succeed(usage_analysis, at(DAY, 25), resume=first.id, now=at(DAY, 26))
    assert result["report"]["total"]["requests"] == 5
    assert (await school.rows("SELECT day, summed_up_at FROM tutoring.usage_day ORDER BY 1"))[:2] == summed


async def test_a_call_that_is_reported_again_counts_once_by_the_callers_name_for_it(school: School) -> None:
    """The second report comes a second later and says more."""
    await used(school, OPENAI, at(DAY), status=None, latency_ms=None, request_id="r-1")
    await used(school, OPENAI, at(DAY) + timedelta(seconds=1), request_id="r-1")
    await used(school, OPENAI, at(DAY), request_id="r-2")
    found = await report(school)
    (line,) = [use for use in found["providers"] if use["provider"] == "swift"]
    assert (line["requests"], line["errors"], line["input_tokens"], line["p50_ms"]) == (2, 0, 200, 200)
    assert (found["recorded"]["rows"], found["recorded"]["duplicates"]) == (3, 1)


async def test_the_mail_has_the_figures_and_its_charts_inside(school: School) -> None:
    await used(school, OPENAI, at(DAY), times=30, status=500)
    await report(school)
    _, text, html = (await school.texts())[0]
    assert html is not None
    assert re.findall(r'src="cid:(\w+)"', html) == ["chart1", "chart2"]
    assert "100.0 % of the requests to swift failed" in text
    assert "100.0 % of the requests to swift failed" in html


async def test_calls_of_the_months_to_come_have_partitions_in_time(school: School) -> None:
    await report(school, date(2031, 3, 31))
    (found,) = await school.rows(
        "SELECT array_agg(c.relname::text ORDER BY 1) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = 'tutoring.api_usage'::regclass AND c.relname LIKE 'api_usage_2031_%'"
    )
    assert found == (["api_usage_2031_03", "api_usage_2031_04", "api_usage_2031_05", "api_usage_2031_06"],)
