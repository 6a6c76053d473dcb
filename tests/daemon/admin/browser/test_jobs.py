"""What an operator does to a job, on its page."""

from __future__ import annotations

import asyncpg
from playwright.async_api import expect

from daemon.admin.roles import Role
from tests.daemon.actions_house import audit
from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.browser.live_house import live_house
from tests.daemon.admin.browser.working import FEES, MONEY, NEVER


async def test_a_run_by_hand_with_arguments_leads_to_its_page(url: str, visit: Visit) -> None:
    async with live_house(url, FEES) as opened:
        visitor = await visit(opened)
        await visitor.go("/jobs/test.fees")
        dialog = await visitor.opens("Run now…")
        await dialog.get_by_label("Arguments").fill('{"customer": 17}')
        await visitor.button("Run now", dialog).click()
        await expect(visitor.page.get_by_role("heading", name="of test.fees")).to_be_visible()
        await expect(visitor.page.locator("h2 .badge.succeeded")).to_be_visible()
        await visitor.sees('"charged"')


async def test_what_ran_for_the_date_is_shown_and_how_to_run_it_once_more_from_here(url: str, visit: Visit) -> None:
    async with live_house(url, FEES) as opened:
        first = (await opened.operator.post("/api/v1/jobs/test.fees/run", json={})).json()["run"]
        visitor = await visit(opened)
        visitor.refusals.add(409)
        await visitor.go("/jobs/test.fees")
        dialog = await visitor.opens("Run now…")
        await visitor.button("Run now", dialog).click()
        alert = dialog.get_by_role("alert")
        await expect(alert.get_by_role("link")).to_have_attribute("href", f"/runs/{first}")
        await expect(alert).not_to_contain_text("sexton ")
        assert await visitor.hurdles() == []
        await dialog.get_by_label("Even if it ran for that date before").check()
        await visitor.button("Run now", dialog).click()
        await expect(visitor.page.get_by_role("heading", name="of test.fees")).to_be_visible()


async def test_arguments_that_cannot_be_used_are_told_in_the_dialog(url: str, visit: Visit) -> None:
    async with live_house(url, FEES) as opened:
        visitor = await visit(opened)
        visitor.refusals.add(422)
        await visitor.go("/jobs/test.fees")
        dialog = await visitor.opens("Run now…")
        alert = dialog.get_by_role("alert")
        for wrong, told in (("{customer: 17}", "Arguments, as JSON"), ("[17]", "body.args")):
            await dialog.get_by_label("Arguments").fill(wrong)
            await visitor.button("Run now", dialog).click()
            await expect(alert).to_contain_text(told)
        await dialog.get_by_label("Arguments").fill("")
        await dialog.get_by_label("The instant").fill("2999-01-01T00:00:00Z")
        await visitor.button("Run now", dialog).click()
        await expect(alert).to_contain_text("still to come")
        assert await visitor.hurdles() == []
        await dialog.get_by_label("The instant").fill("")
        await visitor.button("Run now", dialog).click()
        await expect(visitor.page.get_by_role("heading", name="of test.fees")).to_be_visible()


async def test_a_sensitive_job_is_not_run_without_a_reason(
    url: str, visit: Visit, connection: asyncpg.Connection
) -> None:
    async with live_house(url, MONEY) as opened:
        visitor = await visit(opened)
        await visitor.go("/jobs/test.money")
        dialog = await visitor.opens("Run now…")
        why = dialog.get_by_label("Why")
        await visitor.button("Run now", dialog).click()
        assert await why.evaluate("field => field.matches(':invalid') && document.activeElement === field")
        assert await connection.fetchval("SELECT count(*) FROM sexton.run") == 0
        await why.fill("the bank was closed")
        await visitor.button("Run now", dialog).click()
        await expect(visitor.page.get_by_role("heading", name="of test.money")).to_be_visible()
        await visitor.sees("the bank was closed")


async def test_a_job_is_paused_and_resumed_before_everybodys_eyes(
    url: str, visit: Visit, connection: asyncpg.Connection
) -> None:
    async with live_house(url, FEES) as opened:
        visitor, watcher = await visit(opened), await visit(opened, Role.VIEWER, name="vera")
        await watcher.go("/jobs/test.fees")
        await visitor.go("/jobs/test.fees")
        dialog = await visitor.opens("Pause…")
        await dialog.get_by_label("Why").fill("unit rates are wrong")
        await visitor.button("Pause", dialog).click()
        for somebody in (visitor, watcher):
            await expect(somebody.page.locator(".badge.paused")).to_be_visible()
            await somebody.sees("unit rates are wrong")
        dialog = await visitor.opens("Resume…")
        await visitor.button("Resume", dialog).click()
        await expect(watcher.page.locator(".badge.paused")).to_have_count(0)
        assert [(row["who"], row["action"]) for row in await audit(connection)][-2:] == [
            ("otto", "pause"), ("otto", "resume"),
        ]  # fmt: skip


async def test_another_schedule_is_looked_at_before_it_is_taken(url: str, visit: Visit) -> None:
    async with live_house(url, FEES) as opened:
        visitor = await visit(opened)
        visitor.refusals.add(422)
        await visitor.go("/jobs/test.fees")
        dialog = await visitor.opens("Reschedule…")
        schedule = dialog.get_by_label("Schedule", exact=True)
        await schedule.fill("61 * * * *")
        await visitor.button("Show the next ten instants", dialog).click()
        await expect(dialog.get_by_role("alert")).to_contain_text("0–59")
        await schedule.fill("30 6 * * mon-fri")
        await visitor.button("Show the next ten instants", dialog).click()
        await expect(dialog.locator(".preview li")).to_have_count(10)
        await expect(dialog.locator(".preview")).to_contain_text("Monday to Friday at 06:30 (Europe/Zurich)")
        assert await visitor.hurdles() == []
        await visitor.button("Reschedule", dialog).click()
        await visitor.sees("Overrides in force")
        await visitor.sees("Monday to Friday at 06:30 (Europe/Zurich)")
        await visitor.sees("otto")
        dialog = await visitor.opens("Reschedule…")  # with nothing in it, as it is configured
        await schedule.fill("")
        await dialog.get_by_label("Zone").fill("")
        await visitor.button("Reschedule", dialog).click()
        await expect(visitor.page.get_by_text("Overrides in force")).to_have_count(0)
        await visitor.sees("every day at 02:30 (Europe/Zurich)")


async def test_an_edit_does_not_undo_one_that_somebody_else_made_meanwhile(url: str, visit: Visit) -> None:
    async with live_house(url, FEES) as opened:
        visitor = await visit(opened)
        visitor.refusals.add(412)
        await visitor.go("/jobs/test.fees")
        (await opened.admin.patch("/api/v1/jobs/test.fees", json={"timeout_s": 60})).raise_for_status()
        dialog = await visitor.opens("Edit limits…")
        await dialog.get_by_label("Retries").fill("3")
        await visitor.button("Save", dialog).click()
        await expect(dialog.get_by_role("alert")).to_contain_text("Somebody has changed this")
        await visitor.page.reload()
        dialog = await visitor.opens("Edit limits…")
        await expect(dialog.get_by_label("Timeout")).to_have_value("60")
        await dialog.get_by_label("Retries").fill("3")
        await visitor.button("Save", dialog).click()
        await visitor.sees("retries = 3")


async def test_a_schedule_that_names_no_date_is_told_on_the_first_page(url: str, visit: Visit) -> None:
    async with live_house(url, NEVER) as opened:
        visitor = await visit(opened, Role.VIEWER)
        await visitor.go("/")
        await visitor.sees("never due again: 0 0 30 2 *")
        await visitor.go("/jobs/test.never")
        await visitor.sees("Never due again")
