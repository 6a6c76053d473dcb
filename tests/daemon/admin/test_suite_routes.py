"""Routes of suites beside our own: same tokens, their own schema, JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from daemon.config import ConfigError
from tests.daemon.admin.house import house
from tests.daemon.suites import House
from tests.daemon.suites import house as suites

ROUTES = '''
from __future__ import annotations
from decimal import Decimal
from daemon import *

(TEAS, SLOW, WRITE) = sql.load(__file__, "teas", "slow", "write")

@route("/teas")
async def teas(question: Question, below: int = 10) -> object:
    """The teas that cost less."""
    async with question.snapshot() as tables:
        return {"asked_by": question.caller, "teas": [dict(row) for row in await tables.fetch(TEAS, below)]}

@route("/teas/{name}", role="operator")
async def tea(question: Question, name: str) -> object:
    if name == "none":
        raise NotFound("there is no such tea")
    if name == "bad":
        raise ValueError("that is no name of a tea")
    async with question.snapshot() as tables:
        await tables.execute(WRITE if name == "write" else SLOW)
    return {"price": Decimal("1.50"), "at": question.now()}

@route("/teas", role="operator", method="POST")
async def buy(question: Question) -> object:
    async with question.transaction() as tables:
        return {"rows": await tables.execute(WRITE)}

@route("/teas/{name}/steal")
async def steal(question: Question, name: str) -> object:
    async with question.transaction() as tables:
        return {"rows": await tables.execute(WRITE)}

@route("/teas/{name}/brew")
async def brew(question: Question, name: str) -> object:
    raise Unavailable("the kettle is cold", seconds(89.5) if name == "assam" else None)
'''
SQL = """
-- name: teas
SELECT name, price FROM tea WHERE price < $1 ORDER BY name;

-- name: slow
SELECT 1;

-- name: write
INSERT INTO tea VALUES ('x', 1);
"""


@pytest.fixture
def built(tmp_path: Path) -> Iterator[House]:
    with suites(tmp_path) as made:
        made.job("leaf/brew.py")
        made.write("leaf/routes.py", ROUTES)
        made.write("leaf/routes.sql", SQL)
        yield made


@pytest.fixture
async def shelf(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA leaf; CREATE TABLE leaf.tea (name text, price numeric)")
    await connection.execute("INSERT INTO leaf.tea VALUES ('assam', 2), ('gyokuro', 40)")


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


async def test_a_suite_answers_from_its_own_tables(url: str, built: House, shelf: None) -> None:
    async with house(url, packages={"leaf": built.suite("leaf")}) as h:
        told = good(await h.viewer.get("/api/v1/teas"))
        assert told == {"asked_by": "vera", "teas": [{"name": "assam", "price": "2"}]}
        assert len(good(await h.viewer.get("/api/v1/teas", params={"below": 100}))["teas"]) == 2
        assert (await h.viewer.get("/api/v1/teas", params={"below": "many"})).status_code == 422
        assert "etag" in (await h.viewer.get("/api/v1/teas")).headers


async def test_its_routes_ask_for_a_role_as_ours_do(url: str, built: House, shelf: None) -> None:
    async with house(url, packages={"leaf": built.suite("leaf")}) as h:
        asked = [(await h.client(role).get("/api/v1/teas/assam")).status_code for role in h._clients]
        assert asked == [401, 403, 200, 200]
        described = good(await h.viewer.get("/openapi.json"))["paths"]
        assert described["/api/v1/teas/{name}"]["get"]["x-role"] == "operator"
        assert [p["name"] for p in described["/api/v1/teas"]["get"]["parameters"]] == ["below"]


async def test_what_is_not_there_and_what_makes_no_sense_are_problems(url: str, built: House, shelf: None) -> None:
    async with house(url, packages={"leaf": built.suite("leaf")}) as h:
        missing = await h.operator.get("/api/v1/teas/none")
        assert (missing.status_code, missing.json()["detail"]) == (404, "there is no such tea")
        assert (await h.operator.get("/api/v1/teas/bad")).status_code == 422
        assert good(await h.operator.get("/api/v1/teas/assam"))["price"] == "1.50"


async def test_a_route_cannot_write(url: str, built: House, shelf: None, connection: asyncpg.Connection) -> None:
    async with house(url, packages={"leaf": built.suite("leaf")}) as h:
        assert (await h.operator.get("/api/v1/teas/write")).status_code == 500
        assert await connection.fetchval("SELECT count(*) FROM leaf.tea") == 2


async def test_a_route_of_post_may_write(url: str, built: House, shelf: None, connection: asyncpg.Connection) -> None:
    async with house(url, packages={"leaf": built.suite("leaf")}) as h:
        assert [(await h.client(role).post("/api/v1/teas")).status_code for role in h._clients] == [401, 403, 200, 200]
        assert (await h.operator.get("/api/v1/teas/assam/steal")).status_code == 500  # one of GET may not
        assert await connection.fetchval("SELECT count(*) FROM leaf.tea") == 4


async def test_what_cannot_be_had_now_says_when_to_ask_again(url: str, built: House, shelf: None) -> None:
    async with house(url, packages={"leaf": built.suite("leaf")}) as h:
        cold = await h.viewer.get("/api/v1/teas/assam/brew")
        assert (cold.status_code, cold.json()["detail"], cold.headers["retry-after"]) == (
            503,
            "the kettle is cold",
            "90",
        )
        assert "retry-after" not in (await h.viewer.get("/api/v1/teas/gyokuro/brew")).headers


async def test_a_route_that_cannot_be_one_stops_the_start(url: str, built: House) -> None:
    built.write("leaf/routes.py", "from daemon import *\n\n@route('/runs/tea')\nasync def f(q): ...\n")
    with pytest.raises(BaseExceptionGroup) as refusal:
        async with house(url, packages={"leaf": built.suite("leaf")}):
            raise AssertionError("it started")
    assert refusal.group_contains(ConfigError, match="begins like a path of the engine's own", depth=2)
