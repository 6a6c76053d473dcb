"""The first page: what wants attention before all else, and the day around now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import asyncpg

from tests.daemon.actions_house import MONEY, TICK, add_run
from tests.daemon.admin.house import House, house
from tests.daemon.admin.todo import QUEUE, fill


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


async def test_what_to_do_is_a_page_away_and_not_a_command(url: str, connection: asyncpg.Connection) -> None:
    await fill(connection, dead=2, ready=0)
    async with house(url, queues=(QUEUE,)) as opened:
        page = (await opened.viewer.get("/")).text
    assert ("2 dead</span>" in page, "sexton retry" in page) == (True, False)


async def test_an_outage_that_began_before_the_day_is_told_and_drawn(url: str, connection: asyncpg.Connection) -> None:
    """The row of a span says when it began: of a long outage that is days ago."""
    async with house(url, TICK) as opened:
        now: datetime = (await connection.fetchval("SELECT sexton.clock()")).replace(minute=0, second=0, microsecond=0)
        first, last = now - timedelta(hours=71), now - timedelta(hours=22)
        run = await add_run(
            connection, TICK, "missed", due_at=first, due_until=last, count=50, reason="too late", daily=False
        )
        page = (await opened.viewer.get("/live/overview?once")).text
        listed = (await opened.viewer.get("/api/v1/runs", params={"since": last.isoformat(), "job": TICK.name})).json()
        everybodys = (await opened.viewer.get("/api/v1/runs", params={"since": last.isoformat()})).json()
        after = {"since": now.isoformat(), "job": TICK.name, "state": "missed"}
        later = (await opened.viewer.get("/api/v1/runs", params=after)).json()
    assert f"missed, 50 times, last due {last:%Y-%m-%d %H:%M:%S} UTC: too late" in page
    assert re.search(r'aria-label="test.tick: [23] missed, ', page)
    assert [[r["id"] for r in found["items"]] for found in (listed, everybodys, later)] == [[run], [run], []]


async def test_a_stretch_of_the_day_leads_to_its_runs(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, TICK) as opened:
        now: datetime = await connection.fetchval("SELECT sexton.clock()")
        run = await add_run(connection, TICK, "failed", due_at=now - timedelta(hours=3), error="no", finished_at=now)
        page = (await opened.viewer.get("/live/overview?once")).text
        found = re.search(r'<rect class="failed"[^>]*data-href="([^"]*)"', page)
        assert found
        runs = (await opened.viewer.get(unescape(found[1]))).text
        before = (await opened.viewer.get("/runs", params={"until": f"{now - timedelta(hours=4):%Y-%m-%dT%H:%M}"})).text
        wrong = await opened.viewer.get("/runs", params={"since": "yesterday"})
    assert f'href="/runs/{run}"' in runs
    assert "No run is like that." in before
    assert (wrong.status_code, "2026-11-22T15:30" in wrong.text) == (422, True)


async def test_a_house_without_jobs_says_how_to_come_by_some(open_house: House) -> None:
    for path in ("/live/overview?once", "/jobs"):
        assert "name suites under <code>suites</code>" in (await open_house.viewer.get(path)).text
    nowhere = await open_house.viewer.get("/nowhere", headers={"Accept": "text/html"})
    assert (nowhere.status_code, "There is no such page." in nowhere.text) == (404, True)


async def test_a_page_without_a_login_leads_to_it(open_house: House) -> None:
    async with open_house.new_client(headers={"Accept": "text/html"}) as browser:
        answer = await browser.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
