"""The server within a node: its headers, its problems, its end, and that no route forgets to say whom it lets in."""

from __future__ import annotations

import asyncio
import re

import anyio
import asyncpg
import httpx
import pytest
from fastapi import APIRouter

from daemon.admin import app, database
from daemon.admin.state import State
from tests.daemon.admin.house import house
from tests.daemon.cuttable import Wire, _copy, laid


class Freezing(Wire):
    """Holds what the server says back while `answers` is clear, and nothing breaks: a frozen machine, a lost route."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.answers = asyncio.Event()
        self.answers.set()

    async def _carry(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        async def answers() -> None:
            while octets := await there.read(65536):
                await self.answers.wait()
                writer.write(octets)
            writer.transport.abort()

        await asyncio.gather(_copy(reader, back), answers())


async def test_every_answer_is_guarded_even_one_that_is_an_error(url: str) -> None:
    async with house(url) as opened:
        for path in ("/api/v1/nodes", "/api/v1/nothing", "/login", "/static/sexton.css"):
            headers = (await opened.viewer.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
            assert "server" not in headers
        assert (await opened.viewer.get("/api/v1/nodes")).headers["cache-control"] == "private, no-cache"
        assert (await opened.viewer.get("/docs")).headers["cache-control"] == "no-store"


async def test_pages_carry_no_inline_script_or_style_and_load_nothing_from_elsewhere(url: str) -> None:
    async with house(url) as opened:
        for path in ("/", "/login", "/docs"):
            html = (await opened.viewer.get(path)).text
            assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", html), path
            assert not re.search(r"(?:src|href)=\"(?![/#])", html), path


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("POST", "/api/v1/nodes", 405), ("GET", "/static/../app.py", 404)],
)
async def test_an_error_is_a_problem_in_the_standard_form(url: str, method: str, path: str, status: int) -> None:
    async with house(url) as opened:
        answer = await opened.viewer.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert (body["status"], body["type"]) == (status, "about:blank")
        assert {"title", "detail", "instance"} <= body.keys()


async def test_a_fault_of_ours_is_a_problem_without_its_inside_and_is_logged(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(url) as opened:

        async def fails(request: object) -> None:
            raise ZeroDivisionError("a secret")

        opened.server.app.router.add_route("/fails", fails)
        answer = await opened.viewer.get("/fails")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret" not in answer.text
        assert "a secret" in caplog.text


async def test_a_lost_database_is_said_in_a_word(url: str) -> None:
    async with house(url) as opened:
        opened.state.database._url = lambda: "postgresql://127.0.0.1:1/nobody"
        answer = await opened.viewer.get("/api/v1/nodes")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["title"] == "Service Unavailable"


async def test_a_database_that_answers_nothing_is_said_in_a_word_too(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "READ_TIMEOUT", 1.0)
    monkeypatch.setattr(database, "CANCEL_PATIENCE", 0.1)
    async with laid(Freezing(url)) as wire, house(url) as opened:
        opened.state.database._url = lambda: wire.url
        assert (await opened.viewer.get("/api/v1/nodes")).status_code == 200
        wire.answers.clear()
        answer = await opened.viewer.get("/api/v1/nodes")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert not opened.node.engine.outage.known
        wire.answers.set()
        async with asyncio.timeout(60):
            while (await opened.viewer.get("/api/v1/nodes")).status_code != 200:
                await asyncio.sleep(0.05)


async def test_head_is_get_without_the_body_also_of_a_stream(url: str) -> None:
    async with house(url) as opened:
        for path in ("/api/v1/jobs", "/login", "/static/sexton.css", "/nowhere", "/live/now"):
            async with opened.viewer.stream("GET", path) as got:
                expected = (got.status_code, got.headers["content-type"])
            async with asyncio.timeout(60):
                head = await opened.viewer.head(path)
            assert (head.status_code, head.headers["content-type"], head.content) == (*expected, b""), path
            assert "content-security-policy" in head.headers
        assert (await opened.client(None).head("/api/v1/jobs")).status_code == 401
        assert (await opened.viewer.head("/logout")).status_code == 405


async def test_connections_that_were_lost_are_opened_anew(url: str, connection: asyncpg.Connection) -> None:
    async with house(url) as opened:
        assert (await opened.viewer.get("/api/v1/nodes")).status_code == 200
        ended = await connection.fetch(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'sexton admin test'"
        )
        assert ended
        assert (await opened.viewer.get("/api/v1/nodes")).status_code in (200, 503)  # 503 if it was on its way
        async with asyncio.timeout(60):
            while (await opened.viewer.get("/api/v1/nodes")).status_code != 200:
                await asyncio.sleep(0.05)


async def test_a_statement_that_takes_too_long_is_ended_and_said(url: str) -> None:
    async with house(url) as opened:

        async def slow(state: State) -> None:
            async with state.database.reading() as connection:
                await connection.execute("SET statement_timeout = '20ms'; SELECT pg_sleep(30)")

        opened.server.app.add_api_route("/slow", slow)
        answer = await opened.viewer.get("/slow")
        assert (answer.status_code, answer.json()["detail"]) == (503, "the database took too long to answer")


async def test_a_change_that_meets_another_one_may_be_asked_for_again(url: str) -> None:
    """Two that wait for each other's rows: the server ends one of them."""
    async with house(url) as opened:
        at_it = asyncio.Barrier(2)

        async def locks(first: int, second: int, state: State) -> str:
            async with state.database.acting() as connection, connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", first)
                await at_it.wait()
                await connection.execute("SELECT pg_advisory_xact_lock($1)", second)
            return "changed"

        opened.server.app.add_api_route("/locks/{first}/{second}", locks)
        answers = await asyncio.gather(opened.operator.get("/locks/1/2"), opened.operator.get("/locks/2/1"))
        assert sorted(answer.status_code for answer in answers) == [200, 503]
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert (refused.json()["detail"], refused.headers["retry-after"]) == ("somebody else is changing the same", "2")


async def test_readers_cannot_write(url: str) -> None:
    async with house(url) as opened, opened.state.database.reading() as connection:
        assert await connection.fetchval("SHOW default_transaction_read_only") == "on"
        assert await connection.fetchval("SHOW statement_timeout") == "5s"


async def test_a_request_in_progress_is_answered_when_the_server_stops(url: str) -> None:
    begun = asyncio.Event()

    async def waits(state: State) -> str:
        begun.set()
        await state.leaving.wait()
        return "served"

    async with house(url) as opened:
        opened.server.app.add_api_route("/waits", waits)
        client = opened.new_client()
        asked = asyncio.create_task(client.get("/waits"))
        await begun.wait()
    with anyio.fail_after(60):
        assert (await asked).json() == "served"
    with pytest.raises(httpx.ConnectError):
        await client.get("/login")
    await client.aclose()


async def test_a_route_that_forgets_to_say_whom_it_lets_in_stops_the_start(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful = APIRouter()
    forgetful.add_api_route("/api/v1/anybody", lambda: "hello")
    async with house(url) as opened:
        monkeypatch.setattr(app, "ROUTERS", (*app.ROUTERS, forgetful))
        with pytest.raises(app.NobodyAsked, match="GET /api/v1/anybody"):
            app.create_app(opened.state)


async def test_the_description_names_the_role_of_each_operation(url: str) -> None:
    async with house(url) as opened:
        described = (await opened.viewer.get("/openapi.json")).json()
        operations = [o for path in described["paths"].values() for o in path.values()]
        assert operations
        assert all(o["x-role"] in ("viewer", "operator", "admin") for o in operations)
        assert "HTTPValidationError" not in described["components"]["schemas"]
