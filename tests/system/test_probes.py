"""/metrics, /healthz and /readyz during normal work; `test_lost_database` and `test_sigterm` ask in bad times."""

from __future__ import annotations

import asyncio

from tests.system.node import Node
from tests.system.probes import get
from tests.system.stage import Stage


async def test_the_probes_say_what_goes_on(stage: Stage) -> None:
    node = await stage.daemon()
    await stage.settled()
    await asyncio.to_thread(well_and_counted, node, stage.template.flights)
    assert await node.stop() == 0
    await stage.balance()


def well_and_counted(node: Node, flights: int) -> None:
    for path in ("/healthz", "/readyz"):
        answer = get(node, path)
        assert (answer.status, answer.body) == (200, "ok\n")
    assert get(node, "/nonsense").status == 404
    metrics = get(node, "/metrics")
    assert metrics.status == 200
    assert metrics.value("sexton_database_up") == 1
    done = [line for line in metrics.body.splitlines() if line.startswith("sexton_queue_items_total{")]
    assert sum(float(line.rpartition(" ")[2]) for line in done if 'outcome="done"' in line) == flights, done
