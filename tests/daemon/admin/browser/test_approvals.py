"""A sensitive job that one person alone may not touch: asked for in one browser, agreed to in another."""

from __future__ import annotations

from playwright.async_api import expect

from daemon.admin_settings import AdminSettings
from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.browser.live_house import live_house
from tests.daemon.admin.browser.working import MONEY

TWO = AdminSettings(listen="127.0.0.1:0", two_person=True)


async def test_a_second_person_agrees_and_not_the_first(url: str, visit: Visit) -> None:
    async with live_house(url, MONEY, settings=TWO) as opened:
        otto, olga = await visit(opened), await visit(opened, name="olga")
        otto.refusals.add(409)
        await otto.go("/jobs/test.money")
        dialog = await otto.opens("Run now…")
        await dialog.get_by_label("Why").fill("the bank was closed")
        await otto.button("Run now", dialog).click()
        await expect(otto.page.get_by_role("heading", level=1)).to_have_text("Approvals")
        await olga.sees("otto asks a second person to agree")
        for somebody in (otto, olga):
            somebody.page.on("dialog", lambda question: question.accept())
        await otto.page.get_by_role("button", name="Agree to approval").click()
        await expect(otto.page.get_by_role("alert")).to_contain_text("a second person has to agree")
        await olga.page.get_by_role("link", name="approval ").click()
        assert await olga.hurdles() == []
        await olga.page.get_by_role("button", name="Agree to approval").click()
        for somebody in (otto, olga):
            await expect(somebody.page.locator("td .badge.approved")).to_be_visible()
        await otto.go("/jobs/test.money")
        await expect(otto.page.locator("td .badge.succeeded")).to_be_visible()
