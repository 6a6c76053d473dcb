"""The first page: what wants attention before all else, and the day around now."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import asyncpg

from tests.daemon.actions_house import MONEY, TICK, add_run
from tests.daemon.admin.house import House, house


async def test_it_tells_what_failed_what_is_held_and_what_is_dead(
    open_house: House, connection: asyncpg.Connection
) -> None:
    failed = await add_run(connection, TICK, "failed", error="ValueError: <b>no</b>", finished_at=datetime.now(UTC))
    held = await add_run(connection, MONEY, "held", reason="paused by grace")
    page = (await open_house.viewer.get("/")).text
    assert f'href="/runs/{failed}"' in page
    assert f'href="/runs/{held}"' in page
    assert "paused by grace" in page
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert "<b>no" not in page


async def test_it_shows_the_day_of_each_job_that_ran_or_will(url: str) -> None:
    async with house(url, TICK) as opened:
        page = (await opened.viewer.get("/live/overview?once")).text
    assert re.search(r'aria-label="test.tick: 2[34] due"', page)  # the slot that has begun is a part of the day


async def test_a_page_without_a_login_leads_to_it(open_house: House) -> None:
    async with open_house.new_client(headers={"Accept": "text/html"}) as browser:
        answer = await browser.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
