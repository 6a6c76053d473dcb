"""Readings as they arrive: reported in one statement, read by the daemon, decided and told in one transaction."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.system.waiting import row
from tests.workers.tutoring.providers import Providers, requests

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def test_a_report_wakes_the_daemon(providers: Providers) -> None:
    heard: list[str] = []
    connection = providers.school.connection
    await connection.add_listener("sexton", lambda *notified: heard.append(notified[-1]))
    await providers.report("openai", {}, NOON)
    await connection.fetchval("SELECT 1")
    assert heard == ["queue:tutoring.provider_reading"]
    await connection.reset()


async def test_a_reading_counts_at_once_and_leaves_the_queue(providers: Providers) -> None:
    await providers.report("openai", requests(42, MINUTE), NOON)
    assert await providers.read(NOON) == {"done": 1, "failed": 0, "dead": 0}
    assert await providers.state("openai") == ("OK", 42.0, None)
    assert await providers.school.count("provider_reading") == 0
    assert await providers.read(NOON) is None


async def test_what_is_none_of_the_limiters_business_is_not_kept(providers: Providers) -> None:
    await providers.report("openai", {**requests(1, MINUTE), "Authorization": "Bearer abc"}, NOON)
    kept = json.loads(await providers.school.value("SELECT headers FROM tutoring.provider_reading"))
    assert {name for name in kept if not name.startswith("x-ratelimit-")} == set()
    assert len(kept) == 6


async def test_95_percent_diverts_tells_once_and_names_who_stands_in(providers: Providers) -> None:
    for percent in (96, 97, 96):
        await providers.uses("openai", percent, NOON)
    assert await providers.state("openai") == ("FAILOVER", 96.0, "anthropic")
    assert await providers.asked(NOON) == "anthropic"
    assert await providers.alerts() == ["openai is set aside, and anthropic stands in for it"]
    assert await providers.school.count("provider_transition") == 1
    assert await providers.school.rows("SELECT provider, fallback FROM tutoring.active_failover") == [
        ("openai", "anthropic")
    ]


async def test_a_warning_is_kept_and_logged_and_nobody_is_woken(providers: Providers) -> None:
    await providers.uses("openai", 85, NOON)
    assert await providers.state("openai") == ("WARN", 85.0, None)
    assert await providers.school.rows("SELECT from_state, to_state, reason FROM tutoring.provider_transition") == [
        ("UNKNOWN", "WARN", "85 % of its requests used")
    ]
    assert await providers.alerts() == []


async def test_pauses_of_its_users_are_no_news(providers: Providers) -> None:
    await providers.uses("openai", 10, NOON)
    await providers.monitor(NOON + 2 * MINUTE)
    assert await providers.state("openai") == ("UNKNOWN", None, None)
    assert await providers.school.count("provider_transition") == 0


async def test_readings_in_the_wrong_order_leave_the_newest(providers: Providers) -> None:
    await providers.report("openai", requests(30, MINUTE), NOON + timedelta(seconds=2))
    await providers.report("openai", requests(97, MINUTE), NOON)
    await providers.read(NOON + timedelta(seconds=3))
    await providers.report("openai", requests(98, MINUTE), NOON + timedelta(seconds=1))
    await providers.read(NOON + timedelta(seconds=3))
    assert await providers.state("openai") == ("OK", 30.0, None)


async def test_a_refusal_blocks_until_its_wait_is_over(providers: Providers) -> None:
    await providers.report("gemini", {"Retry-After": "90"}, NOON, status=429)
    await providers.read(NOON)
    until = await providers.school.value("SELECT max(blocked_until) FROM tutoring.provider_status")
    assert until == NOON + timedelta(seconds=90)
    assert await providers.state("gemini") == ("BLOCKED", 100.0, "openai")


async def test_a_refusal_blocks_though_an_answer_with_room_was_read_with_it(providers: Providers) -> None:
    second = timedelta(seconds=1)
    await providers.report("openai", {"retry-after": "600"}, NOON, status=429)
    await providers.report("openai", requests(10, 20 * MINUTE), NOON + second)
    await providers.read(NOON + 2 * second)
    assert await providers.state("openai") == ("BLOCKED", 100.0, "anthropic")
    await providers.monitor(NOON + MINUTE)
    assert await providers.state("openai") == ("BLOCKED", 10.0, "anthropic")
    assert await providers.asked(NOON + MINUTE) == "anthropic"


async def test_garbage_leaves_the_state_as_it_was(providers: Providers) -> None:
    await providers.uses("openai", 85, NOON)
    for headers in ({"x-ratelimit-limit-requests": "<html>"}, {"x-ratelimit-remaining-requests": "-7"}, {"date": "?"}):
        await providers.report("openai", headers, NOON)
    await providers.school.connection.execute(
        "INSERT INTO tutoring.provider_reading (provider_id, observed_at, headers) VALUES (1, $1, $2)",
        NOON, '{"x-ratelimit-limit-requests": 17, "x-ratelimit-remaining-requests": ["1"], "date": null}',
    )  # fmt: skip
    assert await providers.read(NOON) == {"done": 4, "failed": 0, "dead": 0}
    assert await providers.state("openai") == ("WARN", 85.0, None)


@pytest.mark.parametrize("again", [NOON, NOON + MINUTE])
async def test_a_call_that_is_reported_twice_counts_once(providers: Providers, again: datetime) -> None:
    assert await providers.report("openai", {}, NOON, tokens=5, request_id="call-1")
    assert not await providers.report("openai", {}, again, tokens=5, request_id="call-1")
    assert await providers.school.count("api_usage") == 1
    assert await providers.school.rows("SELECT subject_kind, used FROM tutoring.quota_period") == [("provider", 5)]


async def test_tokens_count_for_the_month_of_the_student_and_of_the_provider(providers: Providers) -> None:
    report = (
        "SELECT tutoring.report_usage('openai', 200, student => $1, input_tokens => 70, output_tokens => 30, at => $2)"
    )
    await providers.school.connection.execute(report, 7, NOON)
    rows = await providers.school.rows("SELECT subject_kind, subject_id, used FROM tutoring.quota_period ORDER BY 1")
    assert rows == [("provider", 1, 100), ("student", 7, 100)]


async def test_a_report_about_nobody_is_refused_by_name(providers: Providers) -> None:
    with pytest.raises(asyncpg.NoDataFoundError, match='there is no provider "opnai"'):
        await providers.report("opnai", {}, NOON)


async def test_a_call_of_the_future_happened_now(providers: Providers) -> None:
    ahead = datetime.now(UTC) + timedelta(days=3)
    await providers.report("openai", requests(99, MINUTE), ahead)
    assert await providers.school.value("SELECT max(observed_at) < $1 FROM tutoring.provider_reading", ahead)


LIMITED = """
INSERT INTO tutoring.provider_limit (provider_id, dim, per, limit_n)
SELECT id, $2, $3, $4 FROM tutoring.ai_provider WHERE name = $1
"""


@pytest.mark.parametrize(
    ("dim", "per", "limit", "used"),
    [("requests", "minute", 4, 50.0), ("tokens", "day", 40, 60.0), ("input_tokens", "minute", 40, 50.0),
     ("month", "month", 24, 100.0), ("requests", "month", 8, 37.5), ("requests", "minute", 0, 100.0)],
)  # fmt: skip
async def test_what_a_provider_does_not_tell_is_counted_here(
    providers: Providers, dim: str, per: str, limit: int, used: float
) -> None:
    await providers.school.connection.execute(LIMITED, "gemini", dim, per, limit)
    for at, tokens in ((NOON, 10), (NOON + timedelta(seconds=59), 10), (NOON - timedelta(hours=1), 4)):
        await providers.report("gemini", {}, at, tokens=tokens)
    await providers.monitor(NOON + timedelta(seconds=59))
    assert (await providers.state("gemini"))[1] == used


async def test_what_a_provider_says_beats_what_is_counted(providers: Providers) -> None:
    await providers.school.connection.execute(LIMITED, "openai", "requests", "minute", 1)
    await providers.uses("openai", 20, NOON)
    assert await providers.state("openai") == ("OK", 20.0, None)


async def test_what_a_provider_said_is_counted_on_from_here_once_it_is_whole_again(providers: Providers) -> None:
    await providers.school.connection.execute(LIMITED, "openai", "requests", "minute", 4)
    await providers.uses("openai", 20, NOON)
    await providers.report("openai", {}, NOON + 2 * MINUTE)
    await providers.monitor(NOON + 2 * MINUTE)
    assert await providers.state("openai") == ("OK", 25.0, None)


async def test_without_a_limit_nothing_is_known_however_much_is_used(providers: Providers) -> None:
    await providers.report("gemini", {}, NOON, tokens=10**9)
    await providers.read(NOON)
    assert await providers.state("gemini") == ("UNKNOWN", None, None)


async def test_two_nodes_that_read_at_once_tell_once(providers: Providers) -> None:
    for _ in range(20):
        await providers.report("openai", requests(96, MINUTE), NOON)
    done: list[Any] = await asyncio.gather(*(providers.read(NOON) for _ in range(3)))
    assert sum((run or {"done": 0})["done"] for run in done) == 20
    assert await providers.alerts() == ["openai is set aside, and anthropic stands in for it"]


async def test_what_another_node_is_deciding_is_waited_for_and_not_told_again(providers: Providers) -> None:
    await providers.report("openai", requests(96, MINUTE), NOON)
    other = await asyncpg.connect(providers.school.url)
    try:
        async with other.transaction():
            await other.execute("UPDATE tutoring.provider_status SET state = 'FAILOVER' WHERE provider_id = 1")
            reading = asyncio.create_task(providers.read(NOON))
            await row(providers.school.connection, "SELECT EXISTS (SELECT FROM pg_stat_activity "
                      "WHERE wait_event_type = 'Lock' AND datname = current_database())")  # fmt: skip
    finally:
        await other.close()
    assert await reading == {"done": 1, "failed": 0, "dead": 0}
    assert (await providers.state("openai"))[0] == "FAILOVER"
    assert (await providers.school.count("provider_transition"), await providers.alerts()) == (0, [])


ANOTHER_MEANWHILE = """
CREATE FUNCTION tutoring.another() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO tutoring.provider_reading (provider_id, observed_at) VALUES (NEW.provider_id, NEW.at); RETURN NULL;
END $$;
CREATE TRIGGER another AFTER INSERT ON tutoring.provider_transition
    FOR EACH ROW EXECUTE FUNCTION tutoring.another();
"""


async def test_what_arrives_while_readings_are_read_is_read_in_the_same_run(providers: Providers) -> None:
    await providers.school.connection.execute(ANOTHER_MEANWHILE)
    await providers.report("openai", requests(96, MINUTE), NOON)
    assert await providers.read(NOON) == {"done": 2, "failed": 0, "dead": 0}
