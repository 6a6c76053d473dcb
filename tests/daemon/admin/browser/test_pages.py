"""Every page, with six weeks of data: no errors, nothing grave for axe-core, nothing sideways on a telephone."""

from __future__ import annotations

import json

import asyncpg
import pytest

from daemon.admin.roles import Role
from tests.daemon.actions_house import TICK, add_run
from tests.daemon.admin.browser.believable import HEALTH, INVOICE, PAYOUT, believable_house
from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.browser.live_house import live_house
from tests.daemon.admin.browser.visitor import COLOURS, HALF, NARROW, RULES, WIDE
from tests.daemon.admin.house import House

REPORTS = ("productivity", "tutoring", "jewellery?from=2001-01-01&until=2001-02-01")
"""Every kind of picture, and what there is nothing of."""
QUEUE = "flights.flight_processing_queue"


async def pages_of(opened: House) -> list[str]:
    """One of each kind."""
    run = {
        state: await opened.connection.fetchval("SELECT max(id) FROM sexton.run WHERE state = $1", state)
        for state in ("running", "failed", "held", "succeeded")
    }
    return [
        "/", "/jobs", f"/jobs/{PAYOUT}", f"/jobs/{INVOICE}", f"/jobs/{HEALTH}", "/runs",
        *(f"/runs/{number}" for number in run.values()), "/queues", f"/queues/{QUEUE}", "/outbox", "/outbox/1",
        "/outbox/suppressions", "/nodes", "/audit", "/approvals", "/tokens",
        *(f"/reports/{suite}" for suite in REPORTS), "/docs", "/jobs/flights.no_such_job",
    ]  # fmt: skip


@pytest.mark.parametrize(("scheme", "rules"), [("light", RULES), ("dark", COLOURS)], ids=["light", "dark"])
async def test_every_page_is_fit_for_everybody_on_every_screen(
    url: str, visit: Visit, scheme: str, rules: dict[str, object]
) -> None:
    """In the dark, what differs are the colours."""
    async with believable_house(url, many=scheme == "light") as opened:
        visitor = await visit(opened, Role.ADMIN, color_scheme=scheme)
        visitor.refusals.add(404)
        found: list[str] = []
        for path in await pages_of(opened):
            await visitor.page.set_viewport_size(WIDE)
            await visitor.go(path)
            found += [f"{path}: {hurdle}" for hurdle in await visitor.hurdles(rules)]
            for size in (HALF, NARROW):
                await visitor.page.set_viewport_size(size)
                found += [f"{path} at {size['width']} px: {wide}" for wide in await visitor.too_wide()]
        assert found == []


async def test_words_without_end_and_heaps_of_figures_leave_a_page_its_shape(
    url: str, visit: Visit, connection: asyncpg.Connection
) -> None:
    word = "x" * 1500
    heap = json.dumps({"rows": [{"n": n, word[:400]: word} for n in range(400)]})
    async with live_house(url, TICK) as opened:
        now = await connection.fetchval("SELECT sexton.clock()")
        run = await add_run(
            connection, TICK, "failed", due_at=now, error=word, args=heap, result=heap, requested_by=word[:100],
            note=word, finished_at=now,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO sexton.attempt (run, number, outcome, finished_at, error, traceback) "
            "VALUES ($1, 1, 'failed', $2, $3, repeat($3 || E'\\n', 300))", run, now, word,
        )  # fmt: skip
        message = await connection.fetchval(
            "INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key, last_error) "
            "VALUES ('test', left($1, 300), 'email', 'hello', '{}', 'alert', left($1, 200), $1) RETURNING id", word,
        )  # fmt: skip
        await opened.operator.post("/api/v1/jobs/test.tick/pause", json={"reason": word[:1000]})
        await connection.execute("UPDATE sexton.audit SET who = left($1, 200)", word)
        await connection.execute("UPDATE sexton.job SET paused_by = left($1, 200)", word)
        await connection.execute("UPDATE sexton.node SET name = left($1, 63)", word)
        visitor = await visit(opened, Role.VIEWER)
        found: list[str] = []
        for path in (
            "/",
            "/jobs/test.tick",
            "/runs",
            f"/runs/{run}",
            "/outbox",
            f"/outbox/{message}",
            "/audit",
            "/nodes",
        ):
            await visitor.go(path)
            for size in (WIDE, HALF, NARROW):
                await visitor.page.set_viewport_size(size)
                found += [f"{path} at {size['width']} px: {wide}" for wide in await visitor.too_wide()]
            if (tall := await visitor.page.evaluate("document.documentElement.scrollHeight")) > 12_000:
                found.append(f"{path}: {tall} px high")
        assert found == []
