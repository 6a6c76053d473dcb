"""Pages of jobs and runs: what they show, escaped, and to whom."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, time, timedelta
from html import unescape

import asyncpg
import httpx

from daemon.admin.pages import coded
from daemon.job import Poll
from tests.daemon.actions_house import AFTER, MONEY, TICK, add_run
from tests.daemon.admin.house import House, house
from tests.daemon.admin.todo import QUEUE, fill
from tests.daemon.harness import a_job


def shown(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


async def test_all_jobs_are_listed_and_found_by_a_part_of_the_name(url: str) -> None:
    async with house(url, TICK, MONEY) as opened:
        assert "/jobs/test.money" in shown(await opened.viewer.get("/jobs"))
        found = shown(await opened.viewer.get("/jobs?q=TICK"))
        assert "/jobs/test.tick" in found
        assert "/jobs/test.money" not in found
        assert "&lt;i&gt;" in shown(await opened.viewer.get("/jobs", params={"q": "<i>"}))


def test_code_in_a_summary_is_code_and_nothing_else_is_markup() -> None:
    assert coded('With `{"a": "<b>"}` or ``c`` <i>') == (
        "With <code>{&#34;a&#34;: &#34;&lt;b&gt;&#34;}</code> or <code>c</code> &lt;i&gt;"
    )


async def test_a_job_shows_its_schedule_its_days_and_why_it_did_not_run(
    url: str, connection: asyncpg.Connection
) -> None:
    async with house(url, TICK, MONEY) as opened:
        held = await add_run(connection, MONEY, "held", reason="clock leapt forward by 2:00:00")
        page = shown(await opened.viewer.get("/jobs/test.money"))
    assert "every day at 02:30 (Europe/Zurich)" in page.replace("<wbr>", "")
    assert f"/runs/{held}" in page
    assert "clock leapt forward by 2:00:00" in page


async def test_a_gap_in_a_jobs_days_leads_to_the_runs_of_those_days_in_its_zone(
    url: str, connection: asyncpg.Connection
) -> None:
    async with house(url, MONEY) as opened:
        now: datetime = await connection.fetchval("SELECT sexton.clock()")
        evening = datetime.combine(now.date() - timedelta(days=2), time(23, 30), UTC)  # the next day in Zurich
        held = await add_run(connection, MONEY, "held", due_at=evening, reason="a leap")
        page = shown(await opened.viewer.get("/jobs/test.money"))
        gap = re.search(r'<a class="num" href="([^"]*)">([^<]*)</a>', page)
        assert gap
        assert gap[2] == f"{evening.date() + timedelta(days=1)}"
        assert f'href="/runs/{held}"' in shown(await opened.viewer.get(unescape(gap[1])))
    assert "1 due: 0 succeeded, 1 not over</dd>" in page


async def test_a_poll_says_how_it_looks_and_leads_to_its_queue_and_back(
    url: str, connection: asyncpg.Connection
) -> None:
    await fill(connection, dead=1, ready=0)
    worker = a_job(TICK.body, Poll(timedelta(seconds=30), QUEUE.name), "test.worker")
    async with house(url, worker, queues=(QUEUE,)) as opened:
        page = shown(await opened.viewer.get("/jobs/test.worker"))
        queue = shown(await opened.viewer.get(f"/queues/{QUEUE.name}"))
    assert "A pass that finds nothing to do leaves no run." in page
    assert f'<dd><a href="/queues/{QUEUE.name}">' in page
    assert [word in page for word in ("Reschedule…", "Missed while down", "Run now…")] == [False, False, True]
    assert 'Worked off by <a href="/jobs/test.worker">' in queue


async def test_a_job_or_run_that_is_not_there_is_not_found(url: str) -> None:
    async with house(url, TICK) as opened:
        for path in ("/jobs/test.tock", "/live/jobs/test.tock", "/runs/99", "/live/runs/99"):
            assert (await opened.viewer.get(path)).status_code == 404, path


async def test_a_run_shows_its_arguments_its_last_words_and_its_traceback(
    url: str, connection: asyncpg.Connection
) -> None:
    async with house(url, TICK) as opened:
        run = await add_run(
            connection, TICK, "failed", error="ValueError: <no>", args=json.dumps({"name": "<Ada>"}), attempt=2
        )
        await connection.execute(
            "INSERT INTO sexton.attempt (run, number, outcome, finished_at, error, traceback) "
            "VALUES ($1, 1, 'failed', sexton.clock(), 'ValueError: <no>', 'Traceback: <here>')", run,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO sexton.run_log (run, seq, at, level, line) "
            "SELECT $1, n, sexton.clock(), 'info', 'line ' || n FROM generate_series(1, 300) n", run,
        )  # fmt: skip
        page = shown(await opened.viewer.get(f"/runs/{run}"))
    for wanted in ("&lt;no&gt;", "\\u003cAda\\u003e", "Traceback: &lt;here&gt;", "line 300", "line 101"):
        assert wanted in page, wanted
    assert "line 100<" not in page


async def test_a_run_by_hand_tells_what_it_does_not_wait_for_and_what_persons_did_to_it(url: str) -> None:
    async with house(url, MONEY, AFTER, claiming=False) as opened:
        asked = await opened.operator.post("/api/v1/jobs/test.after/run", json={"reason": "no <time>"})
        run = asked.json()["run"]
        assert shown(await opened.viewer.get("/jobs/test.after")).count("does not wait for test.money") == 1
        page = shown(await opened.viewer.get(f"/runs/{run}"))
        assert f"It does not wait, because a person asked for it: {asked.json()['not_awaited'][0]}." in page
        await opened.admin.post(f"/api/v1/runs/{run}/cancel", json={"reason": "a mistake"})
        live = shown(await opened.viewer.get(f"/live/runs/{run}?once"))
    assert re.search(
        "<strong>ada</strong> cancel .*a mistake.*<strong>otto</strong> run-job .*no &lt;time&gt;", live, re.DOTALL
    )


async def test_runs_are_filtered_and_older_ones_are_a_link_away(url: str, connection: asyncpg.Connection) -> None:
    async with house(url, TICK, MONEY) as opened:
        made = [await add_run(connection, TICK, "succeeded", day) for day in range(51)]
        other = await add_run(connection, MONEY, "failed")
        page = shown(await opened.viewer.get("/runs?job=test.tick&state=succeeded"))
        assert f"/runs/{made[-1]}" in page
        assert f"/runs/{other}" not in page
        assert 'rel="next"' in page
        only = shown(await opened.viewer.get("/runs?state=failed"))
        assert f"/runs/{other}" in only
        assert 'rel="next"' not in only


async def test_every_page_of_the_navigation_opens_for_a_viewer(open_house: House) -> None:
    home = shown(await open_house.viewer.get("/"))
    paths = re.findall(r'href="(/[a-z]*)"', home.partition("</nav>")[0])
    assert {"/", "/jobs", "/runs", "/queues", "/outbox", "/nodes", "/audit", "/docs"} <= set(paths)
    for path in paths:
        shown(await open_house.viewer.get(path))


async def test_a_message_shows_what_its_template_is_filled_with(
    open_house: House, connection: asyncpg.Connection
) -> None:
    message = await connection.fetchval(
        "INSERT INTO sexton.outbox (suite, recipient, channel, template, data, kind, dedupe_key) "
        "VALUES ('test', 'ada', 'email', 'hello', '{\"name\": \"Ada\"}', 'transactional', 'a key') RETURNING id"
    )
    assert f"/outbox/{message}" in shown(await open_house.viewer.get("/outbox?to=ada&state=pending"))
    assert '"name": "Ada"' in shown(await open_house.viewer.get(f"/outbox/{message}"))
    await connection.execute(
        "UPDATE sexton.outbox SET state = 'sent', provider_id = 'SM17', settled_at = sexton.clock() WHERE id = $1",
        message,
    )
    live = shown(await open_house.viewer.get(f"/live/outbox/{message}?once"))
    assert ("SM17" in live, "Send again…" in live, "Hold back…" in live) == (True, True, False)


async def test_what_somebody_did_is_in_the_audit(url: str) -> None:
    async with house(url, TICK) as opened:
        await opened.operator.post("/api/v1/jobs/test.tick/pause", json={"reason": "a <fire>"})
        found = shown(await opened.viewer.get("/audit?who=otto"))
        assert ("a &lt;fire&gt;" in found, 'href="/jobs/test.tick"' in found) == (True, True)
        assert "fire" not in shown(await opened.viewer.get("/audit?who=vera"))
        live = [shown(await opened.viewer.get(f"/live/audit?once&action={did}")) for did in ("pause", "resume")]
    assert ["a &lt;fire&gt;" in page for page in live] == [True, False]
