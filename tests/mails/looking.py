"""A mail opened in Chromium as a file, at one width in light or dark: what is wrong with it, and its picture."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, ConsoleMessage, Page, Request

from tests.daemon.admin.browser.visitor import AXE, COLOURS, GRAVE, RULES, TOO_WIDE
from tests.mails.mails import Mail

WIDTHS = (1440, 360)
SCHEMES = ("light", "dark")
NOT_SHOWN = """() => [...document.images].filter(
    (i) => !i.complete || !i.naturalWidth || i.getBoundingClientRect().width < 1 || !i.hasAttribute('alt')
        || (!i.alt && !i.nextElementSibling?.textContent.trim())).map((i) => i.outerHTML.slice(0, 80))"""
"""A picture without words stands beside a text that says the same."""
PAPER = """() => getComputedStyle(document.querySelector('.card')).backgroundColor.match(/\\d+/g).map(Number)"""
DARK, LIGHT = 64, 192


@dataclass
class Reader:
    """Who reads mails in one browser; `troubles` are errors behind the page, and whatever it would load."""

    page: Page
    folder: Path
    scheme: str
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.troubles.append(f"uncaught: {error}"))
        self.page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        self.troubles.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.troubles.append(f"loads {request.url[:80]}")

    async def opens(self, mail: Mail, width: int) -> None:
        path = self.folder / f"{mail.name}.html"
        path.write_text(mail.page, encoding="utf-8")
        await self.page.set_viewport_size({"width": width, "height": 400})
        await self.page.goto(path.as_uri())

    async def troubles_with(self, mail: Mail) -> list[str]:
        """At both widths; empty when all is well. For axe-core widths are alike, and the dark differs in colours."""
        found: list[str] = []
        for width in WIDTHS:
            await self.opens(mail, width)
            found += [f"{width} px: {wide} sticks out" for wide in await self.page.evaluate(TOO_WIDE)]
            found += [f"{width} px: {picture} is not shown" for picture in await self.page.evaluate(NOT_SHOWN)]
        found += await self.hurdles()
        paper = await self.page.evaluate(PAPER)
        if not (max(paper) < DARK if self.scheme == "dark" else min(paper) > LIGHT):
            found.append(f"is on {paper}")
        found += self.troubles
        self.troubles.clear()
        return [f"{mail.name}, {self.scheme}: {trouble}" for trouble in found]

    async def hurdles(self) -> list[str]:
        answer = await AXE.run(self.page, options=RULES if self.scheme == "light" else COLOURS)
        return [
            f"{v['id']}: {node['target']} {node.get('failureSummary', '')}"
            for v in answer.response["violations"] if v["impact"] in GRAVE for node in v["nodes"]
        ]  # fmt: skip


@asynccontextmanager
async def reading(browser: Browser, folder: Path, scheme: str) -> AsyncIterator[Reader]:
    context = await browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    try:
        yield Reader(await context.new_page(), folder, scheme)
    finally:
        await context.close()
