"""A page that is cut off says so, comes back by itself, and asks where streams do not get through."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from playwright.async_api import Route, expect

from daemon.admin.roles import Role
from tests.daemon.actions_house import TICK, add_run
from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.house import House

LONGER_THAN_PATIENCE = 13_000
POLL = 2_500


async def test_a_page_goes_on_when_its_server_is_back(
    open_house: House, visit: Visit, connection: asyncpg.Connection
) -> None:
    visitor = await visit(open_house, Role.VIEWER)
    await visitor.page.clock.install()
    await visitor.go("/")
    first = await add_run(connection, TICK, "held", 1)
    await expect(visitor.page.get_by_role("link", name=f"run {first}")).to_be_visible()
    await open_house.serve_no_more()
    for _ in range(3):
        await visitor.page.clock.fast_forward(LONGER_THAN_PATIENCE)
    await visitor.sees("Not connected; what you see may be old.")
    assert await visitor.hurdles() == []
    second = await add_run(connection, TICK, "held", 2)
    open_house.server.bind()
    open_house.serve()
    await visitor.page.clock.fast_forward(POLL)
    await expect(visitor.page.get_by_role("link", name=f"run {second}")).to_be_visible()
    await expect(visitor.page.locator("#away")).to_be_hidden()


async def test_a_page_whose_database_does_not_answer_says_so_until_it_does(
    open_house: House, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = await visit(open_house, Role.VIEWER)
    visitor.refusals.add(503)
    await visitor.go("/jobs")
    await visitor.page.wait_for_function("() => document.querySelector('#stop > *')")
    outage = open_house.node.engine.outage
    monkeypatch.setattr(type(outage), "known", True)
    await visitor.sees("The database does not answer; what you see may be old.")
    assert await visitor.hurdles() == []
    monkeypatch.undo()
    await expect(visitor.page.locator("#away")).to_be_hidden()


async def test_the_stream_is_opened_however_late_the_extension_for_it_arrives(open_house: House, visit: Visit) -> None:
    visitor = await visit(open_house, Role.VIEWER)
    await visitor.go("/")
    loaded = asyncio.Event()

    async def late(route: Route) -> None:
        await loaded.wait()
        await route.continue_()

    await visitor.page.route("**/hx-sse.min.js", late)
    async with visitor.page.expect_request("**/live/jobs?q=") as opened:
        going = asyncio.ensure_future(visitor.go("/jobs"))
        await visitor.page.wait_for_function("() => window.htmx")
        await visitor.page.evaluate("() => new Promise((done) => setTimeout(done))")  # after what htmx itself put off
        loaded.set()
        await going
    await opened.value


async def test_where_streams_are_cut_off_the_page_asks(
    open_house: House, visit: Visit, connection: asyncpg.Connection
) -> None:
    visitor = await visit(open_house, Role.VIEWER)

    async def only_whole_answers(route: Route) -> None:
        await (route.continue_() if "once" in route.request.url else route.abort())

    await visitor.page.route("**/live/**", only_whole_answers)
    await visitor.page.clock.install()
    await visitor.go("/")
    run = await add_run(connection, TICK, "held")
    for _ in range(2):
        await visitor.page.clock.fast_forward(LONGER_THAN_PATIENCE)
    await expect(visitor.page.get_by_role("link", name=f"run {run}")).to_be_visible()
    await visitor.page.clock.fast_forward(POLL)
    await expect(visitor.page.locator("#away")).to_be_hidden()
