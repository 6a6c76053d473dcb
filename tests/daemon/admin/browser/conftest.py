"""One Chromium, a context of its own for each visitor; a page's errors fail the test that met them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from daemon.admin.roles import Role
from tests.daemon.admin.browser.visitor import CHROMIUM, WIDE, Visitor, a_browser
from tests.daemon.admin.house import House

HERE = Path(__file__).parent
Visit = Callable[..., Awaitable[Visitor]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One test process has them all, and so one Chromium; being the largest group they are begun first."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    async with a_browser() as opened:
        yield opened


@pytest.fixture
async def visit(browser: Browser) -> AsyncIterator[Visit]:
    """`await visit(house, Role.OPERATOR)`: somebody who is logged in, in a browser of their own; None: nobody yet.

    No page is open: most tests begin with another than the one that a login leads to.
    """
    visitors: list[Visitor] = []

    async def come(house: House, role: Role | None = Role.OPERATOR, name: str = "otto", **options: Any) -> Visitor:
        context = await browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **options})
        visitor = Visitor(house, await context.new_page())
        visitors.append(visitor)
        if role is not None:
            await visitor.be_logged_in(role, name)
        return visitor

    yield come
    for visitor in visitors:
        await visitor.page.context.close()
    assert [trouble for visitor in visitors for trouble in visitor.troubles] == []
