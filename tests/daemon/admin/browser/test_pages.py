"""Every page, with six weeks of data: no errors, nothing grave for axe-core, nothing sideways on a telephone."""

from __future__ import annotations

import pytest

from daemon.admin.roles import Role
from tests.daemon.admin.browser.believable import HEALTH, INVOICE, PAYOUT, believable_house
from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.browser.visitor import COLOURS, NARROW, RULES, WIDE
from tests.daemon.admin.house import House

REPORTS = ("productivity", "tutoring", "jewellery?from=2001-01-01&until=2001-02-01")
"""Every kind of picture, and what there is nothing of."""
QUEUE = "flights.flight_processing_queue"


async def pages_of(opened: House) -> list[str]:
    """One of each kind."""
    run = {
        state: await opened.connection.fetchval("SELECT max(id) FROM sexton.run WHERE state = $1", state)
        for state in ("running", "failed", "held", "succeeded")
    }
    return [
        "/", "/jobs", f"/jobs/{PAYOUT}", f"/jobs/{INVOICE}", f"/jobs/{HEALTH}", "/runs",
        *(f"/runs/{number}" for number in run.values()), "/queues", f"/queues/{QUEUE}", "/outbox", "/outbox/1",
        "/outbox/suppressions", "/nodes", "/audit", "/approvals", "/tokens",
        *(f"/reports/{suite}" for suite in REPORTS), "/docs", "/jobs/flights.no_such_job",
    ]  # fmt: skip


@pytest.mark.parametrize(("scheme", "rules"), [("light", RULES), ("dark", COLOURS)], ids=["light", "dark"])
async def test_every_page_is_fit_for_everybody_on_every_screen(
    url: str, visit: Visit, scheme: str, rules: dict[str, object]
) -> None:
    """In the dark, what differs are the colours."""
    async with believable_house(url, many=scheme == "light") as opened:
        visitor = await visit(opened, Role.ADMIN, color_scheme=scheme)
        visitor.refusals.add(404)
        found: list[str] = []
        for path in await pages_of(opened):
            await visitor.page.set_viewport_size(WIDE)
            await visitor.go(path)
            found += [f"{path}: {hurdle}" for hurdle in await visitor.hurdles(rules)]
            await visitor.page.set_viewport_size(NARROW)
            found += [f"{path} at 360 px: {wide}" for wide in await visitor.too_wide()]
        assert found == []
