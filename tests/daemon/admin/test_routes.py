"""Every route with every role: what each may do is one table, and docs/api.md has it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import asyncpg
import httpx

from daemon.admin.app import FOR_ANYBODY, roles_of
from daemon.admin.roles import Role
from daemon.report import Column, Report, Unit
from daemon.sql import Statement
from tests.daemon.actions_house import HAND, add_run
from tests.daemon.admin.house import House, house
from tests.daemon.admin.todo import QUEUE, fill

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"
BEGIN, END = "<!-- routes: begin -->\n", "<!-- routes: end -->"
PLACES = {
    "approval": "1",
    "job": "test.hand",
    "suite": "test",
    "name": "hands",
    "queue": QUEUE.name,
    "token": "00000000-0000-0000-0000-000000000000",
}
NONE_THERE = ("/api/v1/tokens/", "/api/v1/approvals/")
"""What is asked of one that is not there is answered by 404, as of a path that is none."""
MESSAGE = "INSERT INTO sexton.outbox (address, template, dedupe_key) VALUES ('a@example.org', 't', 'k') RETURNING id"
HANDS = Report(
    "Hands", "How many.", Statement("hands", "SELECT 2 AS hands", "reports.sql:hands"), "hand",
    (Column("hands", "Hands", Unit.COUNT),), days=None,
)  # fmt: skip
ASKERS = (None, Role.VIEWER, Role.OPERATOR, Role.ADMIN)


def table(opened: House) -> str:
    """For each route the roles it lets in, in the order of the paths."""
    lines = ["| method | path | nobody | viewer | operator | admin |", "|---|---|---|---|---|---|"]
    open_to_all = [(method, path, None) for method, path in FOR_ANYBODY]
    for method, path, role in sorted([*roles_of(opened.server.app), *open_to_all], key=lambda route: route[1::-1]):
        marks = ["yes" if role is None or (asker or 0) >= role else "–" for asker in ASKERS]
        lines.append(f"| {method} | `{path}` | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


async def ask(client: httpx.AsyncClient, method: str, path: str, places: dict[str, str]) -> int:
    place = re.sub(r"\{(\w+)\}", lambda match: places[match[1]], path)
    body = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
    async with client.stream(method, place, **body) as answer:  # a stream of news has no end to wait for
        return answer.status_code


async def test_every_route_lets_in_who_has_its_role_and_nobody_else(url: str, connection: asyncpg.Connection) -> None:
    await fill(connection)
    places = PLACES | {"message": str(await connection.fetchval(MESSAGE))}
    async with house(url, HAND, queues=(QUEUE,), claiming=False) as opened:
        vars(opened.state)["reports"] = {"test": {"hands": HANDS}}  # as if a suite had declared it
        places["run"] = str(await add_run(connection, HAND, "failed"))
        wrong = []
        for method, path, role in roles_of(opened.server.app):
            assert role is not None
            for asker in ASKERS:
                status = await ask(opened.client(asker), method, path, places)
                expected = 401 if asker is None else 403
                lost = status == 405 or (status == 404 and not path.startswith(NONE_THERE))
                if (status == expected) != ((asker or 0) < role) or lost or status >= 500:
                    wrong.append((method, path, asker, status))
        assert wrong == []


async def test_the_document_has_the_table_of_routes_and_roles(url: str) -> None:
    """With SEXTON_WRITE_DOCS=1 it is written instead of compared."""
    async with house(url) as opened:
        text = DOCUMENT.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        written, _, after = rest.partition(END)
        if os.environ.get("SEXTON_WRITE_DOCS"):
            DOCUMENT.write_text(f"{before}{BEGIN}{table(opened)}{END}{after}", encoding="utf-8")
        else:
            assert written == table(opened), "write it anew with SEXTON_WRITE_DOCS=1"
