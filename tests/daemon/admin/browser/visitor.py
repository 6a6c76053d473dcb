"""A person at a page in Debian's Chromium: what the page shows, and whether it is fit to be used."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Response, async_playwright, expect

from daemon.admin.roles import Role
from tests.daemon.admin.house import House

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb", "--hide-scrollbars")
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
HALF = {"width": 660, "height": 740}
"""A window beside another: the narrowest in which a table is one."""
PATIENCE_MS = 30_000
AXE = Axe()
RULES: dict[str, object] = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
}
COLOURS: dict[str, object] = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": ["color-contrast"]}}
GRAVE = ("serious", "critical")
"""Of axe-core's four degrees, those that keep somebody from using a page."""
SAID_OTHERWISE = (
    "Failed to load resource", "htmx: htmx:error: Failed to fetch", "htmx: htmx:sse:error: Failed to fetch",
)  # fmt: skip
"""In the console: a status is judged where the answer is heard, and of a server that is away the page itself tells."""
TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > width + 1)
        .map((e) => `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 40)}`);
}"""
CRAMPED = """() => [...document.querySelectorAll('td[data-label]')].filter((cell) => {
    const label = getComputedStyle(cell, '::before'), of = getComputedStyle(cell);
    return label.content !== 'none' && of.display !== 'table-cell' && cell.offsetWidth
        && !(parseFloat(label.width) <= parseFloat(of.paddingLeft));
}).map((cell) => `${cell.dataset.label}: ${cell.textContent.trim().slice(0, 40)}`)"""

expect.set_options(timeout=PATIENCE_MS)


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """Chromium as Debian has it. Without its sandbox, which root may not have: it opens our own pages only."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visitor:
    """`troubles`: what went wrong behind the page. `refusals`: statuses that a test provokes, which are none."""

    house: House
    page: Page
    troubles: list[str] = field(default_factory=list)
    refusals: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.troubles.append(f"uncaught: {error}"))
        self.page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(SAID_OTHERWISE):
            self.troubles.append(f"console: {message.text}")

    def _answered(self, answer: Response) -> None:
        if answer.status >= 400 and answer.status not in self.refusals:
            self.troubles.append(f"{answer.status} for {answer.url}")

    async def be_logged_in(self, role: Role, name: str) -> None:
        """As `log_in`, without the two pages of it: the cookie is there, and no page yet."""
        token = await self.house.token(role, name)
        answer = await self.page.context.request.post(
            f"{self.house.base}/login", form={"token": token}, max_redirects=0
        )
        assert answer.status == 303

    async def log_in(self, role: Role, name: str = "otto") -> None:
        await self.page.goto(f"{self.house.base}/login")
        await self.page.get_by_label("Token").fill(await self.house.token(role, name))
        await self.page.get_by_role("button", name="Log in").click()
        await expect(self.page.get_by_role("heading", name="Overview")).to_be_visible()

    async def go(self, path: str) -> None:
        await self.page.goto(self.house.base + path)

    async def sees(self, text: str) -> None:
        await expect(self.page.get_by_text(text).first).to_be_visible()

    def button(self, name: str, within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role("button", name=name, exact=True)

    async def opens(self, name: str) -> Locator:
        """The dialog that the button opens."""
        await self.button(name).click()
        dialog = self.page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        return dialog

    async def hurdles(self, rules: dict[str, object] = RULES) -> list[str]:
        """What of this page axe-core finds grave. Swagger UI's own elements are not ours to mend."""
        found = await AXE.run(self.page, context={"exclude": [["#api"]]}, options=rules)
        return [
            f"{v['id']}: {node['target']} {node.get('failureSummary', '')}"
            for v in found.response["violations"] if v["impact"] in GRAVE for node in v["nodes"]
        ]  # fmt: skip

    async def too_wide(self) -> list[str]:
        """What sticks out to the right, and names of fields that lie over what is in them."""
        found: list[str] = [*await self.page.evaluate(TOO_WIDE), *await self.page.evaluate(CRAMPED)]
        return found
