"""A sensitive job that one person alone may not touch: asked for in one browser, agreed to in another."""

from __future__ import annotations

import re

import asyncpg
import pytest
from playwright.async_api import expect

from daemon.admin.roles import Role
from daemon.admin_settings import AdminSettings
from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.browser.live_house import live_house
from tests.daemon.admin.browser.visitor import NARROW, WIDE
from tests.daemon.admin.browser.working import MONEY
from tests.daemon.admin.house import House

TWO = AdminSettings(listen="127.0.0.1:0", two_person=True)


async def test_a_second_person_agrees_and_not_the_first(url: str, visit: Visit) -> None:
    async with live_house(url, MONEY, settings=TWO) as opened:
        otto, olga = await visit(opened), await visit(opened, name="olga")
        otto.refusals.add(409)
        await olga.go("/")
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
        await olga.page.get_by_role("link", name=re.compile(r"approval \d")).click()
        assert await olga.hurdles() == []
        await olga.page.get_by_role("button", name="Agree to approval").click()
        for somebody in (otto, olga):
            await expect(somebody.page.locator("td .badge.approved")).to_be_visible()
        await otto.go("/jobs/test.money")
        await expect(otto.page.locator("td .badge.succeeded")).to_be_visible()


async def ask(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO sexton.approval (action, job, payload, asked_by, origin, reason) "
        "VALUES ('run', 'test.tick', '{}', 'ada', 'test', 'the bank was closed')"
    )


@pytest.mark.parametrize("screen", [WIDE, NARROW], ids=["1440", "360"])
async def test_the_navigation_counts_what_waits_for_a_second_person(
    open_house: House, visit: Visit, connection: asyncpg.Connection, screen: dict[str, int]
) -> None:
    operator, viewer = await visit(open_house, viewport=screen), await visit(open_house, Role.VIEWER, viewport=screen)
    for somebody in (operator, viewer):
        await somebody.go("/")
    links = [somebody.page.locator("nav a.approvals") for somebody in (operator, viewer)]
    await expect(links[0]).to_have_text("Approvals")
    await expect(links[1]).to_be_hidden()
    for count in (1, 2):
        await ask(connection)
        for link in links:
            await expect(link).to_have_text(f"Approvals {count} waiting")
    assert await operator.hurdles() == []
    assert await viewer.too_wide() == []
    await links[1].click()
    await expect(links[1]).to_have_attribute("aria-current", "page")
    await expect(viewer.page.get_by_role("heading", level=1)).to_have_text("Approvals")
    await connection.execute("UPDATE sexton.approval SET decision = 'refused', decided_by = 'olga'")
    for link in links:
        await expect(link).to_have_text("Approvals")
