"""A mail opened in Chromium as a file, at both widths, in light and dark: what is wrong with it, and its pictures."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, ConsoleMessage, Page, Request

from tests.daemon.admin.browser.visitor import AXE, COLOURS, GRAVE, RULES, TOO_WIDE
from tests.mails.mails import Mail

Scheme = Literal["light", "dark"]
WIDTHS = (1440, 360)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
NOT_SHOWN = """() => [...document.images].filter(
    (i) => !i.complete || !i.naturalWidth || i.getBoundingClientRect().width < 1 || !i.hasAttribute('alt')
        || (!i.alt && !i.nextElementSibling?.textContent.trim())).map((i) => i.outerHTML.slice(0, 80))"""
"""A picture without words stands beside a text that says the same."""
PAPER = """() => getComputedStyle(document.querySelector('.card')).backgroundColor.match(/\\d+/g).map(Number)"""
AXE_RUN = "options => axe.run(document, options).then(found => found.violations)"
DARK, LIGHT = 64, 192


@dataclass
class Reader:
    """Who reads mails, each loaded once. `troubles`: errors behind the page, and whatever it would load."""

    page: Page
    folder: Path
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

    async def opens(self, mail: Mail) -> None:
        path = self.folder / f"{mail.name}.html"
        path.write_text(mail.page, encoding="utf-8")
        await self.page.goto(path.as_uri())

    async def looks(self, width: int, scheme: Scheme) -> None:
        await self.page.emulate_media(color_scheme=scheme)
        await self.page.set_viewport_size({"width": width, "height": 160})

    async def troubles_with(self, mail: Mail) -> list[str]:
        """Empty when all is well. For axe-core widths are alike, and the dark differs in colours."""
        self.troubles.clear()
        await self.opens(mail)
        await self.page.evaluate(AXE.axe_script)
        found: list[str] = []
        for scheme in SCHEMES:
            for width in WIDTHS:
                await self.looks(width, scheme)
                wide, unseen = [await self.page.evaluate(look) for look in (TOO_WIDE, NOT_SHOWN)]
                found += [f"{scheme}, {width} px: {one} sticks out" for one in wide]
                found += [f"{scheme}, {width} px: {one} is not shown" for one in unseen]
            found += [f"{scheme}: {one}" for one in await self._hurdles(RULES if scheme == "light" else COLOURS)]
            paper = await self.page.evaluate(PAPER)
            if not (max(paper) < DARK if scheme == "dark" else min(paper) > LIGHT):
                found.append(f"{scheme}: is on {paper}")
        return [f"{mail.name}, {trouble}" for trouble in found + self.troubles]

    async def _hurdles(self, rules: dict[str, object]) -> list[str]:
        violations: list[dict[str, Any]] = await self.page.evaluate(AXE_RUN, rules)
        return [
            f"{v['id']}: {json.dumps(node['target'])} {node.get('failureSummary', '')}"
            for v in violations if v["impact"] in GRAVE for node in v["nodes"]
        ]  # fmt: skip


@asynccontextmanager
async def reading(browser: Browser, folder: Path) -> AsyncIterator[Reader]:
    context = await browser.new_context()
    try:
        yield Reader(await context.new_page(), folder)
    finally:
        await context.close()
