"""Everything without a mouse: a way past the navigation, an order, dialogs that give the focus back."""

from __future__ import annotations

from playwright.async_api import expect

from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.browser.live_house import live_house
from tests.daemon.admin.browser.working import FEES

FOCUSED = "() => document.activeElement.textContent.trim() || document.activeElement.id"
OUTLINE = "() => getComputedStyle(document.activeElement).outlineStyle"


async def test_tab_goes_from_the_skip_link_over_the_navigation_to_the_controls(url: str, visit: Visit) -> None:
    async with live_house(url, FEES) as opened:
        visitor = await visit(opened)
        await visitor.go("/jobs/test.fees")
        await expect(visitor.button("Emergency stop…")).to_be_visible()
        order = []
        for _ in range(18):
            await visitor.page.keyboard.press("Tab")
            order.append(await visitor.page.evaluate(FOCUSED))
            assert await visitor.page.evaluate(OUTLINE) != "none", order
        assert order == [
            "Skip to the content", "Sexton", "Overview", "Jobs", "Runs", "Queues", "Outbox", "Reports", "Approvals",
            "Nodes", "Audit", "API", "Log out", "Emergency stop…", "Run now…", "Pause…", "Reschedule…", "Edit limits…",
        ]  # fmt: skip


async def test_the_skip_link_leads_past_the_navigation(url: str, visit: Visit) -> None:
    async with live_house(url, FEES) as opened:
        visitor = await visit(opened)
        await visitor.go("/jobs/test.fees")
        await visitor.page.keyboard.press("Tab")
        await visitor.page.keyboard.press("Enter")
        await visitor.page.keyboard.press("Tab")
        assert await visitor.page.evaluate(FOCUSED) == "Run now…"


async def test_escape_closes_a_dialog_and_the_focus_goes_back_though_the_page_lives(url: str, visit: Visit) -> None:
    async with live_house(url, FEES) as opened:
        visitor = await visit(opened)
        await visitor.go("/jobs/test.fees")
        await visitor.button("Pause…").focus()
        await visitor.page.keyboard.press("Enter")
        dialog = visitor.page.get_by_role("dialog", name="Pause test.fees")
        await expect(dialog.get_by_label("Why")).to_be_focused()
        await opened.operator.post("/api/v1/jobs/test.fees/run", json={})  # the page changes behind the dialog
        await expect(visitor.page.locator("td .badge.succeeded")).to_be_visible()
        await expect(dialog.get_by_label("Why")).to_be_focused()
        await visitor.page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await expect(visitor.button("Pause…")).to_be_focused()


async def test_a_job_is_paused_by_keys_alone(url: str, visit: Visit) -> None:
    async with live_house(url, FEES) as opened:
        visitor = await visit(opened)
        await visitor.go("/jobs/test.fees")
        await visitor.button("Pause…").focus()
        for key in ("Enter", "n", "o", "w", "Enter"):
            await visitor.page.keyboard.press(key)
        await expect(visitor.page.locator(".badge.paused")).to_be_visible()
        await visitor.sees("now")
