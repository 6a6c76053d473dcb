"""Logging in with a token, and out again."""

from __future__ import annotations

from playwright.async_api import expect

from daemon.admin.roles import Role
from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.house import House


async def test_a_wrong_token_is_told_and_the_right_one_lets_in(open_house: House, visit: Visit) -> None:
    visitor = await visit(open_house, None)
    visitor.refusals.add(401)
    await visitor.go("/jobs")
    await expect(visitor.page).to_have_title("Log in · Sexton")
    assert await visitor.hurdles() == []
    await visitor.page.keyboard.type("not a token")  # the field has the focus
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("alert")).to_contain_text("not valid")
    assert await visitor.hurdles() == []
    await visitor.log_in(Role.VIEWER, "vera")
    await visitor.sees("vera")


async def test_whoever_logs_out_has_to_log_in_again(open_house: House, visit: Visit) -> None:
    visitor = await visit(open_house, None)
    await visitor.log_in(Role.OPERATOR)
    cookie = (await visitor.page.context.cookies())[0]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    await visitor.button("Log out").click()
    await expect(visitor.page).to_have_title("Log in · Sexton")
    await visitor.go("/runs")
    await expect(visitor.page).to_have_title("Log in · Sexton")


async def test_a_viewer_sees_everything_and_can_change_nothing(open_house: House, visit: Visit) -> None:
    visitor = await visit(open_house, Role.VIEWER)
    for path in ("/", "/jobs", "/runs", "/queues", "/outbox", "/nodes", "/audit"):
        await visitor.go(path)
        await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        names = await visitor.page.locator("button:visible").all_inner_texts()
        assert set(names) <= {"Log out", "Show", "Show UTC"}, path
