"""What the schema itself does: months of usage, and what it refuses."""

from __future__ import annotations

import asyncpg
import pytest

USE = "INSERT INTO tutoring.api_usage (provider_id, at, request_id) VALUES (1, $1::text::timestamptz, $2)"


async def test_six_providers_are_there_in_the_order_of_the_chain(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch("SELECT name, state FROM tutoring.ai_provider JOIN tutoring.provider_status "
                                  "ON provider_id = id ORDER BY chain_order")  # fmt: skip
    assert [row["name"] for row in rows] == ["openai", "anthropic", "gemini", "mistral", "groq", "cohere"]
    assert {row["state"] for row in rows} == {"UNKNOWN"}


async def test_a_provider_that_is_added_has_a_status_at_once(connection: asyncpg.Connection) -> None:
    await connection.execute("INSERT INTO tutoring.ai_provider (name, kind, base_url, chain_order) "
                             "VALUES ('local', 'openai', 'http://127.0.0.1:8000/v1', 7)")  # fmt: skip
    assert await connection.fetchval("SELECT count(*) FROM tutoring.provider_status") == 7


async def test_places_in_the_chain_can_be_swapped(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE tutoring.ai_provider SET chain_order = 3 - chain_order WHERE chain_order < 3")
    assert await connection.fetchval("SELECT name FROM tutoring.pick_provider()") == "anthropic"


async def test_usage_of_a_month_without_a_partition_is_kept_and_moves_when_there_is_one(
    connection: asyncpg.Connection,
) -> None:
    for at in ("2031-02-28T23:59:59Z", "2031-03-01T00:00:00Z", "2031-03-31T23:59:59Z", "2031-04-01T00:00:00Z"):
        await connection.execute(USE, at, at)

    opened = await connection.fetchval("SELECT tutoring.open_usage_months('2031-03-17', '2031-03-18')")
    again = await connection.fetchval("SELECT tutoring.open_usage_months('2031-03-01', '2031-03-31')")

    assert (opened, again) == (1, 0)
    assert await connection.fetchval("SELECT count(*) FROM tutoring.api_usage_2031_03") == 2
    assert await connection.fetchval("SELECT count(*) FROM tutoring.api_usage_default") == 2
    assert await connection.fetchval("SELECT count(*) FROM tutoring.api_usage") == 4


async def test_a_report_of_the_same_call_cannot_be_kept_twice(connection: asyncpg.Connection) -> None:
    await connection.execute(USE, "2031-03-01T00:00:00Z", "call-1")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(USE, "2031-03-01T00:00:00Z", "call-1")


@pytest.mark.parametrize(
    ("arguments", "picked"),
    [
        ("leave_out => NULL", "openai"),
        ("leave_out => '{NULL,openai}'", "anthropic"),
        ("NULL, '{anthropic}'", "openai"),
        ("NULL, '{openai,anthropic,gemini,mistral,groq}'", "cohere"),
    ],
)
async def test_null_leaves_nobody_out(connection: asyncpg.Connection, arguments: str, picked: str) -> None:
    assert await connection.fetchval(f"SELECT name FROM tutoring.pick_provider({arguments})") == picked


async def test_null_as_the_instant_is_now(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "UPDATE tutoring.provider_status SET state = 'BLOCKED', "
        "blocked_until = sexton.clock() + (provider_id - 2.5) * interval '1 hour'"
    )
    assert await connection.fetchval("SELECT name FROM tutoring.pick_provider(NULL)") == "openai"
    assert await connection.fetchval("SELECT name FROM tutoring.pick_provider(NULL, '{openai,anthropic}')") is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("200, headers => '[1]'", "headers: must be an object of names and values, and is of type array"),
        ("99999", "status = 99999: must be an HTTP status, or null for no answer"),
        ("200, output_tokens => 9223372036854775807", "output_tokens = 9223372036854775807: no call has more than"),
        ("200, at => '-infinity'", "at = -infinity: must be from 2000-01-01"),
    ],
)
async def test_a_report_that_makes_no_sense_is_refused_whole_with_place_and_value(
    connection: asyncpg.Connection, arguments: str, words: str
) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError, match=words):
        await connection.execute(f"SELECT tutoring.report_usage('openai', {arguments})")
    assert await connection.fetchval("SELECT count(*) FROM tutoring.api_usage") == 0


async def test_a_report_of_nulls_is_a_call_of_which_nothing_is_known(connection: asyncpg.Connection) -> None:
    nulls = "headers => NULL, body => NULL, input_tokens => NULL, latency_ms => NULL, student => NULL, at => NULL"
    assert await connection.fetchval(f"SELECT tutoring.report_usage('openai', NULL, {nulls})")
    assert await connection.fetchval("SELECT at <= sexton.clock() FROM tutoring.api_usage")


@pytest.mark.parametrize("base", ["api.openai.com", "https://key@host/v1", "https://host/v1/", "https://host?key=1"])
async def test_a_base_url_that_could_not_be_asked_or_tells_a_secret_is_refused(
    connection: asyncpg.Connection, base: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("UPDATE tutoring.ai_provider SET base_url = $1 WHERE id = 1", base)
