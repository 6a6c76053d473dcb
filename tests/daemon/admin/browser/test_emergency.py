"""The emergency stop, from any page to every page."""

from __future__ import annotations

import time

from playwright.async_api import expect

from daemon.admin.roles import Role
from daemon.events import RunEnded
from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.browser.live_house import live_house
from tests.daemon.admin.browser.working import Work

LONGEST_S = 5.0
GENEROUS = 6
"""A machine with other things to do takes longer than the target."""


async def test_everything_stops_within_five_seconds_and_an_admin_lets_it_go_on(url: str, visit: Visit) -> None:
    work = Work()
    async with live_house(url, work.job()) as opened:
        run = (await opened.operator.post("/api/v1/jobs/test.pay/run", json={})).json()["run"]
        await work.started.wait()
        operator, admin = await visit(opened), await visit(opened, Role.ADMIN, name="ada")
        await operator.go("/")
        await admin.go(f"/runs/{run}")
        dialog = await operator.opens("Emergency stop…")
        await dialog.get_by_label("Why").fill("wrong rates are being paid")
        began = time.monotonic()
        await operator.button("Stop everything", dialog).click()
        await opened.node.event(RunEnded, lambda event: event.run == run)
        assert time.monotonic() - began < LONGEST_S * GENEROUS
        await expect(admin.page.locator("h2 .badge.cancelled")).to_be_visible()
        for path in ("/jobs", "/jobs/test.pay", "/outbox", "/audit"):
            await operator.go(path)
            await expect(operator.page.get_by_role("status")).to_contain_text("wrong rates are being paid")
            await expect(operator.button("Go on…")).to_be_hidden()
        assert await admin.hurdles() == []
        work.started.clear()
        dialog = await admin.opens("Go on…")
        await dialog.get_by_label("Also retry").check()
        await admin.button("Go on", dialog).click()
        await work.started.wait()
        for somebody in (admin, operator):
            await expect(somebody.button("Emergency stop…")).to_be_visible()
        await expect(admin.page.locator("h2 .badge.running")).to_be_visible()
        work.steps.put_nowait(None)
