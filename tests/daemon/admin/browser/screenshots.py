"""The pictures of the documentation: `make screenshots`, with a PostgreSQL and a browser of their own."""

from __future__ import annotations

import asyncio
import tempfile
from io import BytesIO
from pathlib import Path

import asyncpg
from PIL import Image
from playwright.async_api import Browser, expect

from daemon import migrate
from daemon.admin.roles import Role
from daemon.embedded import EmbeddedPostgres
from tests.conftest import LOOSE, SUITES
from tests.daemon.admin.browser.believable import PAYOUT, believable_house
from tests.daemon.admin.browser.visitor import NARROW, WIDE, Visitor, a_browser
from tests.daemon.admin.house import House

OUT = Path(__file__).parents[4] / "docs" / "screenshots"
COLOURS = 256
TALLEST = {1440: 1500, 360: 1400}
PAGES = {
    "overview": "/", "job": f"/jobs/{PAYOUT}", "run": "/runs/{running}",
    "queue": "/queues/flights.flight_processing_queue", "outbox": "/outbox", "audit": "/audit",
    "reports": "/reports/productivity",
}  # fmt: skip


async def main() -> None:
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sexton-screenshots-") as state:
        postgres = EmbeddedPostgres(Path(state), settings=LOOSE)
        url = await postgres.start("daemon")
        try:
            await _migrate(url)
            async with believable_house(url) as opened, a_browser() as browser:
                await take_all(opened, browser)
        finally:
            await postgres.stop()


async def _migrate(url: str) -> None:
    connection = await asyncpg.connect(url)
    await migrate.migrate(connection, [*migrate.engine_migrations(), *migrate.suite_migrations(SUITES)])
    await connection.close()


async def take_all(opened: House, browser: Browser) -> None:
    running = await opened.connection.fetchval(
        "SELECT max(id) FROM sexton.run WHERE state = 'running' AND job = $1", PAYOUT
    )
    for size, scheme in ((WIDE, "light"), (NARROW, "dark")):
        context = await browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        visitor = Visitor(opened, await context.new_page())
        await visitor.log_in(Role.ADMIN, "ada")
        for name, path in PAGES.items():
            await visitor.go(path.format(running=running))
            await expect(visitor.button("Emergency stop…")).to_be_visible()
            await take(visitor, f"{name}-{size['width']}-{scheme}", TALLEST[size["width"]])
        await context.close()


async def take(visitor: Visitor, name: str, tallest: int) -> None:
    """The page from its top, with as few colours as it needs."""
    raw = await visitor.page.screenshot(full_page=True)
    picture = Image.open(BytesIO(raw)).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, tallest)))
    path = OUT / f"{name}.png"
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(OUT.parents[1])}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    asyncio.run(main())
