"""A daemon that is scraped without a pause leaves as it would otherwise."""

from __future__ import annotations

import asyncio
import http.client

from tests.monitoring.conftest import Daemon
from tests.system.node import Node
from tests.system.probes import get


async def test_a_stop_amid_scrapes_is_clean_and_tells_of_no_lost_database(daemon: Daemon) -> None:
    node = await daemon("a")
    scrapers = [asyncio.create_task(asyncio.to_thread(scrape_to_the_end, node)) for _ in range(3)]
    await node.says("trial.tick succeeded", count=2)
    assert await node.stop() == 0
    scraped = await asyncio.gather(*scrapers)
    assert min(scraped) > 0
    assert node.said("lost|Traceback|Error") == []


def scrape_to_the_end(node: Node) -> int:
    """How often it answered before its port was closed."""
    answered = 0
    while True:
        try:
            assert get(node, "/metrics").status == 200
        except (OSError, http.client.HTTPException):  # refused, or cut off in mid-answer
            return answered
        answered += 1
