"""Reports as a person uses them: another range without scripts, figures at the pointer, a file taken along."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from daemon.admin.roles import Role
from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.browser.live_house import live_house

FIGURES = """
INSERT INTO productivity.metric_daily (day, metric, value)
SELECT date '2026-11-01' + n, m, 400 + n FROM generate_series(0, 9) n, unnest('{dau,wau,mau}'::text[]) m
"""


async def test_a_range_is_chosen_and_a_report_taken_along_without_scripts(url: str, visit: Visit) -> None:
    async with live_house(url, packages={"productivity": "workers.productivity"}) as opened:
        await opened.connection.execute(FIGURES)
        visitor = await visit(opened, Role.VIEWER, java_script_enabled=False)
        await visitor.go("/reports")
        await visitor.page.get_by_label("From", exact=True).fill("2026-11-03")
        await visitor.page.get_by_label("Until", exact=True).fill("2026-11-08")
        await visitor.button("Show").click()
        section = visitor.page.locator("#active_people")
        await expect(section).to_contain_text("2026-11-03 to 2026-11-08")
        await expect(section.get_by_role("img")).to_have_accessible_name(
            "Active people: 3 lines from 2026-11-03 to 2026-11-08; at the end: DAU 407; WAU 407; MAU 407"
        )
        await section.get_by_text("Table of active people: 6 rows").click()
        await expect(section.get_by_role("row")).to_have_count(7)
        async with visitor.page.expect_download() as coming:
            await section.get_by_role("link", name="CSV of Active people").click()
        taken = await coming.value
        assert taken.suggested_filename == "productivity-active_people-2026-11-03-2026-11-08.csv"
        lines = Path(await taken.path()).read_text().splitlines()
        assert (len(lines), lines[1].split(",")[:4]) == (7, ["2026-11-08", "407", "407", "407"])
        await expect(visitor.page.locator("#goals .empty")).to_contain_text("Nothing from 2026-11-03 to 2026-11-08.")
